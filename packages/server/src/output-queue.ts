/**
 * The connections that have something to send. Answers to what several sockets delivered in one turn of the event loop
 * leave together at its end, and with them the replies to writes that became safe meanwhile: one write for each
 * connection. Output for thousands leaves in the order in which it came, in as many turns as it takes.
 */
import type { Clock } from "@vivarium/runtime";
import type { ClientConnection } from "./client-connection.ts";
import type { TurnBudget } from "./turn-budget.ts";
import type { TurnClock } from "./turn-clock.ts";

/** Connections that get their output between looks at the clock. */
const SLICE = 16;
/** How long answers wait for those of other sockets that the same turn still reads. */
const GATHER_MS = 2;

export class OutputQueue {
  readonly #clock: Clock;
  readonly #turn: TurnClock;
  readonly #budget: TurnBudget;
  readonly #waiting: ClientConnection[] = [];
  #isDue = false;
  /** There is more than a turn had time for. */
  #isBehind = false;
  /** When the first answer came that has not left. */
  #gatheredMs = 0;
  readonly #flushDue = (): void => {
    this.#isDue = false;
    this.#isBehind = false;
    this.#budget.beginShare(this.#clock.monotonicMs());
    this.flush();
  };

  constructor({ clock, turn, budget }: { clock: Clock; turn: TurnClock; budget: TurnBudget }) {
    this.#clock = clock;
    this.#turn = turn;
    this.#budget = budget;
  }

  push(connection: ClientConnection): void {
    this.#waiting.push(connection);
  }

  /** What this connection has sent is done: output leaves at the end of the turn, or now if the turn has been long. */
  gather(connection: ClientConnection, nowMs: number): void {
    // Who asks need not wait for the output of thousands.
    if (this.#isBehind) connection.flush();
    if (!this.#isDue) this.#gatheredMs = nowMs;
    if (nowMs - this.#gatheredMs > GATHER_MS) this.flush();
    else if (this.#waiting.length > 0) this.#flushSoon();
    else if (!this.#isDue) this.#turn.endTurn();
  }

  /** Everything leaves, or as much as the turn has time for. */
  flush(): void {
    if (!this.#isBehind) this.#send();
    this.#turn.endTurn();
  }

  #send(): void {
    const waiting = this.#waiting;
    let sent = 0;
    do {
      for (const end = Math.min(sent + SLICE, waiting.length); sent < end; sent++) waiting[sent]?.flush();
    } while (sent < waiting.length && !this.#budget.isOver());
    this.#isBehind = sent < waiting.length;
    if (this.#isBehind) {
      waiting.splice(0, sent);
      this.#flushSoon();
    } else {
      waiting.length = 0;
    }
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.defer(this.#flushDue);
  }
}
