/**
 * The servers to try, in an order of this client's own so that clients spread, and where the client stands in it.
 *
 * A round is one attempt at each server. A new list is taken over without leaving more clients than need be on the
 * servers that were there before. @see StaticHostProvider, ZOOKEEPER-1355
 */
import type { Random } from "@vivarium/runtime";
import { type Host, hostText } from "./connect-string.ts";

const PROBABILITY_STEPS = 0x1_0000_0000;

export class HostList {
  readonly #random: Random;
  #hosts: Host[] = [];
  #next = 0;
  #current: Host | undefined;
  /** Attempts since the round began. */
  #tried = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#hosts.length;
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** The server tried last. */
  get current(): Host | undefined {
    return this.#current;
  }

  /** True when every server was tried since `connected`. */
  get roundIsOver(): boolean {
    return this.#tried >= this.#hosts.length;
  }

  next(): Host | undefined {
    if (this.#hosts.length === 0) return undefined;
    if (this.roundIsOver) this.#tried = 0;
    this.#tried++;
    const host = this.#hosts[this.#next % this.#hosts.length];
    this.#next = (this.#next + 1) % this.#hosts.length;
    this.#current = host;
    return host;
  }

  /** A server other than the current one, to be asked something; undefined when there is no other. */
  candidate(): Host | undefined {
    const others = this.#hosts.filter((host) => host !== this.#current);
    return others.length === 0 ? undefined : others[this.#random.int(others.length)];
  }

  /** The next attempt goes to this server. */
  prefer(host: Host): void {
    const at = this.#hosts.indexOf(host);
    if (at !== -1) this.#next = at;
  }

  connected(): void {
    this.#tried = 0;
  }

  /**
   * Takes over a new list.
   * @returns whether a client that is connected to `current` should move to another server.
   */
  update(hosts: readonly Host[]): boolean {
    const old = new Set(this.#hosts.map(hostText));
    const shuffled = this.#shuffle(hosts);
    const current = this.#current === undefined ? undefined : hostText(this.#current);
    const stays = current !== undefined && shuffled.some((host) => hostText(host) === current);
    const kept = shuffled.filter((host) => old.has(hostText(host)));
    const added = shuffled.filter((host) => !old.has(hostText(host)));
    this.#hosts = shuffled;
    this.#next = 0;
    this.#tried = 0;
    if (current === undefined || old.size === 0) return false;
    if (stays) {
      // Grown: each client moves to a new server with the chance that leaves all servers with the same load.
      const moves = added.length > 0 && shuffled.length > old.size && this.#chance(1 - old.size / shuffled.length);
      if (moves) this.#hosts = [...added, ...kept];
      return moves;
    }
    const left = old.size - kept.length;
    const toKept = (kept.length * (old.size - shuffled.length)) / (shuffled.length * left);
    this.#hosts = added.length === 0 || this.#chance(toKept) ? [...kept, ...added] : [...added, ...kept];
    return true;
  }

  #chance(probability: number): boolean {
    return this.#random.int(PROBABILITY_STEPS) < probability * PROBABILITY_STEPS;
  }

  #shuffle(hosts: readonly Host[]): Host[] {
    const shuffled = [...hosts];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.#random.int(i + 1);
      const host = shuffled[i] as Host;
      shuffled[i] = shuffled[j] as Host;
      shuffled[j] = host;
    }
    return shuffled;
  }
}
