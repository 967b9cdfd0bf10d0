/**
 * Spreads a storm of connecting clients: a token bucket, and optionally (freezeTimeMs ≥ 0) a drop probability that
 * rises while the bucket is empty and falls when it is full enough, so that late comers are not always the losers.
 * Who is refused gets its connection closed and tries another server. Off by default. @see BlueThrottle; the second
 * part is "BLUE: A New Class of Active Queue Management Algorithms"
 */

export interface ConnectionThrottleOptions {
  /** Size of the bucket in connections; 0 turns the throttle off. */
  tokens: number;
  /** Milliseconds between refills. */
  fillTimeMs: number;
  /** Tokens per refill. */
  fillCount: number;
  /** Milliseconds between changes of the drop probability; -1 turns that part off. */
  freezeTimeMs: number;
  dropIncrease: number;
  dropDecrease: number;
  /** The drop probability falls while no more than this part of the bucket is used. */
  decreaseRatio: number;
  /** Whether kinds of session cost differently; then `tokens` and `fillCount` count new global sessions. */
  weightEnabled: boolean;
  globalSessionWeight: number;
  renewSessionWeight: number;
  localSessionWeight: number;
}

export type ConnectionKind = "global" | "renew" | "local";

export class ConnectionThrottle {
  readonly #options: ConnectionThrottleOptions;
  readonly #capacity: number;
  readonly #fillCount: number;
  readonly #chance: () => number;
  #tokens: number;
  #filledMs: number;
  #adjustedMs: number;
  /** Probability with which a connection is refused before tokens are even looked at. */
  drop = 0;

  /** @param chance gives a number in [0, 1). */
  constructor(options: ConnectionThrottleOptions, nowMs: number, chance: () => number) {
    const unit = options.weightEnabled ? options.globalSessionWeight : 1;
    this.#options = options;
    this.#capacity = options.tokens * unit;
    this.#fillCount = options.fillCount * unit;
    this.#tokens = this.#capacity;
    this.#filledMs = nowMs;
    this.#adjustedMs = nowMs;
    this.#chance = chance;
  }

  get deficit(): number {
    return this.#capacity - this.#tokens;
  }

  /** Whether one more connection of this kind may come in now. */
  admit(kind: ConnectionKind, nowMs: number): boolean {
    if (this.#capacity === 0) return true;
    this.#refill(nowMs);
    if (this.#options.freezeTimeMs !== -1) {
      this.#adjustDrop(nowMs);
      if (this.#chance() < this.drop) return false;
    }
    const cost = this.#cost(kind);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  #cost(kind: ConnectionKind): number {
    const o = this.#options;
    if (!o.weightEnabled) return 1;
    return { global: o.globalSessionWeight, renew: o.renewSessionWeight, local: o.localSessionWeight }[kind];
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledMs;
    if (elapsedMs <= this.#options.fillTimeMs) return;
    const gained = Math.floor((elapsedMs * this.#fillCount) / this.#options.fillTimeMs);
    this.#tokens = Math.min(this.#tokens + gained, this.#capacity);
    this.#filledMs = nowMs;
  }

  #adjustDrop(nowMs: number): void {
    const { freezeTimeMs, dropIncrease, dropDecrease, decreaseRatio } = this.#options;
    if (nowMs - this.#adjustedMs <= freezeTimeMs) return;
    if (this.#tokens === 0) this.drop = Math.min(this.drop + dropIncrease, 1);
    else if (this.deficit <= Math.round(this.#capacity * decreaseRatio)) {
      this.drop = Math.max(this.drop - dropDecrease, 0);
    }
    this.#adjustedMs = nowMs;
  }
}
