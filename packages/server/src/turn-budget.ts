/**
 * How long a turn of the event loop goes on with the work of clients. A turn takes all that has arrived meanwhile, of
 * however many connections; what it has no time for is put off, so that timers and everyone else get their turn too.
 *
 *   events come:   begin ─► work, asking isOver between pieces ─► end      together BUDGET_MS of one turn
 *   put off:       beginShare ─► work, asking isOver between pieces        SHARE_MS for each kind of work
 *
 * Nothing tells when a turn ends. Once its work is worth noticing, a deferred call marks the end, and until then all
 * time counts, also that in which the system reads sockets; quiet turns cost nothing.
 */
import type { Clock } from "@vivarium/runtime";

/** Milliseconds of a turn for work as it arrives. */
const BUDGET_MS = 4;
/** Milliseconds of a turn for each kind of work that was put off. */
const SHARE_MS = 3;
/** Work of so many milliseconds is worth looking for the end of the turn. */
const NOTICEABLE_MS = 1;

export class TurnBudget {
  readonly #clock: Clock;
  #startMs = 0;
  #endMs = 0;
  /** Worked since a turn has last ended, as far as that is known. */
  #usedMs = 0;
  #isEndAwaited = false;
  readonly #turnEnded = (): void => {
    this.#isEndAwaited = false;
    this.#usedMs = 0;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Work begins that has just arrived. False: this turn has no time for it. */
  begin(nowMs: number): boolean {
    this.#startMs = nowMs;
    if (!this.#isEndAwaited) this.#endMs = nowMs + BUDGET_MS - this.#usedMs;
    return nowMs < this.#endMs;
  }

  /** Work goes on that was put off. */
  beginShare(nowMs: number): void {
    this.#endMs = nowMs + SHARE_MS;
  }

  /** Whether the work at hand has had its time. */
  isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs;
  }

  /** What began by `begin` has ended. */
  end(): void {
    if (this.#isEndAwaited) return;
    const nowMs = this.#clock.monotonicMs();
    this.#usedMs += nowMs - this.#startMs;
    if (this.#usedMs < NOTICEABLE_MS) return;
    this.#isEndAwaited = true;
    this.#endMs = nowMs + BUDGET_MS - this.#usedMs;
    this.#clock.defer(this.#turnEnded);
  }
}
