/**
 * Runs a synchronous machine: its inputs one at a time and in order, the outputs of each performed before the next, its
 * deadline as a timer. Performing an output may bring further inputs; they wait their turn.
 *
 * A deadline that moves away costs nothing: the timer that was set for the earlier one looks again when it comes.
 */
import type { Clock, Timer } from "@vivarium/runtime";
import { Fifo } from "../fifo.ts";

export interface Machine<Input, Output> {
  step(input: Input, nowMs: number): Output[];
  /** When a tick is wanted, in monotonic milliseconds; Infinity for never. */
  readonly deadlineMs: number;
}

export class MachineDriver<Input, Output> {
  readonly #machine: Machine<Input, Output>;
  readonly #clock: Clock;
  readonly #perform: (output: Output) => void;
  readonly #tick: Input;
  /** Called soon after inputs were worked off, once for all that one turn brings: what was produced may leave. */
  readonly #rested: (() => void) | undefined;
  #restIsDue = false;
  readonly #inputs = new Fifo<Input>();
  /** Go before all inputs that wait, in their own order. */
  readonly #facts = new Fifo<Input>();
  #isRunning = false;
  #isStopped = false;
  #timer: Timer | null = null;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(options: {
    machine: Machine<Input, Output>;
    clock: Clock;
    tick: Input;
    perform: (output: Output) => void;
    rested?: () => void;
  }) {
    this.#machine = options.machine;
    this.#clock = options.clock;
    this.#perform = options.perform;
    this.#tick = options.tick;
    this.#rested = options.rested;
  }

  /** An input would be worked off, with all that comes of it, before `input` returns. */
  get isAtRest(): boolean {
    return !this.#isRunning;
  }

  input(input: Input): void {
    if (this.#isStopped) return;
    this.#inputs.push(input);
    this.#run();
  }

  /** Before all inputs that wait: a fact that those are to be judged by. */
  inputFirst(fact: Input): void {
    if (this.#isStopped) return;
    this.#facts.push(fact);
    this.#run();
  }

  /** Nothing is fed or performed any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #next(): Input | undefined {
    if (this.#isStopped) return undefined;
    return this.#facts.shift() ?? this.#inputs.shift();
  }

  #run(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    for (let input = this.#next(); input !== undefined; input = this.#next()) {
      for (const output of this.#machine.step(input, this.#clock.monotonicMs())) {
        if (this.#isStopped) break;
        this.#perform(output);
      }
    }
    this.#isRunning = false;
    if (this.#isStopped) return;
    this.#schedule();
    this.#restSoon();
  }

  #restSoon(): void {
    const rested = this.#rested;
    if (rested === undefined || this.#restIsDue) return;
    this.#restIsDue = true;
    this.#clock.defer(() => {
      this.#restIsDue = false;
      if (!this.#isStopped) rested();
    });
  }

  #schedule(): void {
    const { deadlineMs } = this.#machine;
    if (deadlineMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = deadlineMs;
    const delayMs = Math.max(0, deadlineMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.setTimer(delayMs, () => this.#timeIsUp());
  }

  #timeIsUp(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    if (this.#clock.monotonicMs() >= this.#machine.deadlineMs) this.input(this.#tick);
    else this.#schedule();
  }
}
