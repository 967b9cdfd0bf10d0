/**
 * The connections that have sent what no turn of the event loop had time for. Each has its turn in the order in which it
 * came, whoever sends meanwhile stands behind, and who has sent much is not read until then.
 */
import type { Clock } from "@vivarium/runtime";
import type { ClientConnection } from "./client-connection.ts";
import { Fifo } from "./fifo.ts";
import type { TurnBudget } from "./turn-budget.ts";

/** A connection that has sent as much as this is not read while it waits. */
const READ_AHEAD_BYTES = 64 << 10;

export interface LateQueueOptions {
  clock: Clock;
  budget: TurnBudget;
  /** Does what the connection asks for; it may come here again. */
  attend(connection: ClientConnection, nowMs: number): void;
  /** This turn has attended to all that it had time for. */
  attended(): void;
}

export class LateQueue {
  readonly #options: LateQueueOptions;
  readonly #connections = new Fifo<ClientConnection>();
  #isDue = false;

  constructor(options: LateQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#connections.length === 0;
  }

  push(connection: ClientConnection): void {
    if (!connection.isLate) {
      connection.isLate = true;
      this.#connections.push(connection);
      this.#attendSoon();
    }
    if (connection.frames.pending < READ_AHEAD_BYTES) return;
    connection.isHeldBack = true;
    connection.socket.pause();
  }

  #attendSoon(): void {
    if (this.#isDue || this.isEmpty) return;
    this.#isDue = true;
    this.#options.clock.defer(() => {
      this.#isDue = false;
      this.#attend();
      this.#attendSoon();
    });
  }

  #attend(): void {
    const { clock, budget, attend, attended } = this.#options;
    budget.beginShare(clock.monotonicMs());
    do {
      const connection = this.#connections.shift();
      if (connection === undefined) break;
      connection.isLate = false;
      attend(connection, clock.monotonicMs());
      if (connection.isHeldBack && !connection.isLate) readOn(connection);
    } while (!budget.isOver());
    attended();
  }
}

/** Reading goes on, unless there is another reason to wait. */
function readOn(connection: ClientConnection): void {
  connection.isHeldBack = false;
  if (!connection.throttled && connection.state !== "establishing") connection.socket.resume();
}
