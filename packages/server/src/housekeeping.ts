/**
 * What a server in charge does on its own account: expires sessions at each tick, and deletes empty containers and TTL
 * nodes whose time is over. Only a standalone server or a leader does this; everyone else is told by transactions.
 * @see SessionTrackerImpl, ContainerManager
 */
import type { Clock, Timer } from "@vivarium/runtime";
import type { ZooKeeperServer } from "./zookeeper-server.ts";

/** The reaper submits its deletions in this many milliseconds at a time, to stay under containerMaxPerMinute. */
const REAP_SLICE_MS = 100;
const MINUTE_MS = 60_000;

export class Housekeeping {
  readonly #server: ZooKeeperServer;
  readonly #clock: Clock;
  readonly #timers = new Map<string, Timer>();

  constructor(server: ZooKeeperServer) {
    this.#server = server;
    this.#clock = server.clock;
  }

  start(): void {
    this.#expireAtNextTick();
    this.#reapLater();
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #after(name: string, delayMs: number, action: () => void): void {
    this.#timers.set(name, this.#clock.setTimer(delayMs, action));
  }

  #expireAtNextTick(): void {
    const { tickTimeMs } = this.#server.config;
    const delayMs = tickTimeMs - (this.#clock.monotonicMs() % tickTimeMs);
    this.#after("expire", delayMs, () => this.#expire());
  }

  #expire(): void {
    if (this.#server.expireSessions()) this.#after("expire", 0, () => this.#expire());
    else this.#expireAtNextTick();
  }

  #reapLater(): void {
    this.#after("reap", this.#server.config.containerCheckIntervalMs, () => {
      const { tree, config } = this.#server;
      const maxNeverUsedMs = config.containerMaxNeverUsedIntervalMs;
      this.#reap(tree.reapCandidates(this.#clock.wallMs(), { maxNeverUsedMs }));
    });
  }

  #reap(candidates: string[]): void {
    if (candidates.length === 0) return this.#reapLater();
    const perSlice = Math.max(1, Math.floor((this.#server.config.containerMaxPerMinute * REAP_SLICE_MS) / MINUTE_MS));
    for (const path of candidates.slice(0, perSlice)) {
      this.#server.logger.debug("deleting a container or TTL node", { path });
      this.#server.stats.containersDeleted++;
      this.#server.deleteContainer(path);
    }
    this.#after("reap", REAP_SLICE_MS, () => this.#reap(candidates.slice(perSlice)));
  }
}
