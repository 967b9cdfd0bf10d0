/**
 * What a client knows about its session's time, by its own monotonic clock.
 *
 * The servers count the timeout from when they last heard of the session. The client cannot know that moment, but an
 * answer proves that it came after the request was sent: so the session is safe until the send time of the last
 * answered packet plus the timeout. Fractions of the timeout, as in ZooKeeper's own client: a ping after a third
 * without sending, another server after two thirds without receiving, and the session counts as expired after four
 * thirds, when any server would have expired it.
 */
export class SessionClock {
  #timeoutMs = 0;
  #acknowledgedMs = 0;
  #sentMs = 0;
  #heardMs = 0;

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** A session was granted; `sentMs` is when the connect request left. */
  granted(timeoutMs: number, sentMs: number, nowMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#acknowledgedMs = sentMs;
    this.#sentMs = nowMs;
    this.#heardMs = nowMs;
  }

  sent(nowMs: number): void {
    this.#sentMs = nowMs;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** The answer to a packet came that was sent at `sentMs`. */
  acknowledged(sentMs: number): void {
    if (sentMs > this.#acknowledgedMs) this.#acknowledgedMs = sentMs;
  }

  /** Until then no server can have expired the session. */
  get safeUntilMs(): number {
    return this.#acknowledgedMs + this.#timeoutMs;
  }

  /** From then on the client gives the session up by itself. */
  get givenUpAtMs(): number {
    return this.#acknowledgedMs + (this.#timeoutMs * 4) / 3;
  }

  get pingAtMs(): number {
    return this.#sentMs + this.#timeoutMs / 3;
  }

  get silentAtMs(): number {
    return this.#heardMs + (this.#timeoutMs * 2) / 3;
  }

  /** A wake-up this late means that the process was stopped, not that the server was silent. */
  get stallMs(): number {
    return this.#timeoutMs / 6;
  }
}
