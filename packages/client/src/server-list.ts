/**
 * Where a client's list of servers comes from: the connect string, an SRV record that is asked again before every new
 * round of attempts, and, when asked for, the ensemble's own configuration.
 */
import { resolveSrv } from "node:dns/promises";
import type { Clock, Timer } from "@vivarium/runtime";
import type { ConnectTarget, Host } from "./connect-string.ts";
import { clientHosts, mergeHosts, sameHosts } from "./ensemble-config.ts";
import type { SessionEvent } from "./session-event.ts";

export type SrvResolver = (name: string) => Promise<{ name: string; port: number }[]>;

export interface ServerListOptions {
  target: ConnectTarget;
  clock: Clock;
  resolveSrv: SrvResolver | undefined;
  use: (hosts: Host[]) => void;
  /** The record could not be resolved; it will be asked again. */
  failed: (name: string, error: Error, retryInMs: number) => void;
}

const SRV_RETRY_MS = 1000;

export class ServerList {
  readonly #options: ServerListOptions;
  #seeds: Host[];
  #configured: Host[] = [];
  #used: Host[] = [];
  #resolving = false;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: ServerListOptions) {
    this.#options = options;
    this.#seeds = options.target.hosts;
  }

  start(): void {
    if (this.#options.target.srvName === undefined) this.#use();
    else void this.#resolve();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
  }

  /** The user's new list: from now on that, and no SRV record. */
  replace(hosts: Host[]): void {
    this.#seeds = hosts;
    this.#configured = [];
    this.#use();
  }

  /** The text of /zookeeper/config. */
  learn(config: string): void {
    this.#configured = clientHosts(config);
    this.#use();
  }

  onSessionEvent(event: SessionEvent): void {
    const roundIsOver = event.type === "connectFailed" && event.retryInMs > 0;
    if (this.#options.target.srvName !== undefined && roundIsOver) void this.#resolve();
  }

  #use(): void {
    const hosts = mergeHosts(this.#seeds, this.#configured);
    if (this.#stopped || hosts.length === 0 || sameHosts(hosts, this.#used)) return;
    this.#used = hosts;
    this.#options.use(hosts);
  }

  async #resolve(): Promise<void> {
    const name = this.#options.target.srvName;
    if (name === undefined || this.#resolving || this.#stopped) return;
    this.#resolving = true;
    try {
      const records = await (this.#options.resolveSrv ?? resolveSrv)(name);
      if (records.length === 0) throw new Error("the SRV record lists no server");
      this.#seeds = records.map((record) => ({ host: record.name.replace(/\.$/, ""), port: record.port }));
      this.#use();
    } catch (error) {
      this.#resolveFailed(name, error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#resolving = false;
    }
  }

  #resolveFailed(name: string, error: Error): void {
    if (this.#stopped) return;
    this.#options.failed(`dns-srv://${name}`, error, SRV_RETRY_MS);
    // With servers from before, the next round of attempts asks again.
    if (this.#used.length > 0) return;
    this.#retry = this.#options.clock.setTimer(SRV_RETRY_MS, () => void this.#resolve());
  }
}
