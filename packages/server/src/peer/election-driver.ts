/**
 * Runs the election machine for as long as the server lives: also who has a leader answers those who look for one.
 *
 *   ElectionTransport ⇄ notifications ⇄ FastLeaderElection ─ elected ─► QuorumPeer
 */
import { decodeNotification, encodeNotification, Role, type ServerState } from "@vivarium/protocol";
import { type ElectionInput, type ElectionOutput, FastLeaderElection, type Vote } from "@vivarium/zab";
import { type Logger, LogThrottle } from "../log/index.ts";
import { ElectionTransport } from "../quorum/election-transport.ts";
import type { ServerPorts } from "../server-ports.ts";
import type { EnsembleView } from "./ensemble-view.ts";
import { MachineDriver } from "./machine-driver.ts";

export interface ElectionDriverOptions {
  readonly ports: ServerPorts;
  readonly logger: Logger;
  readonly view: EnsembleView;
  elected(state: Exclude<ServerState, 0>, vote: Vote): void;
}

export class ElectionDriver {
  readonly #transport: ElectionTransport;
  readonly #driver: MachineDriver<ElectionInput, ElectionOutput>;
  readonly #elected: ElectionDriverOptions["elected"];
  readonly #members: EnsembleView["members"];

  constructor({ ports, logger, view, elected }: ElectionDriverOptions) {
    this.#elected = elected;
    this.#members = view.members;
    const log = new LogThrottle({ logger, now: () => ports.clock.monotonicMs() });
    const { timeouts, self } = view;
    this.#transport = new ElectionTransport({
      ...ports,
      log,
      id: view.id,
      members: view.members,
      onAllAddresses: view.listenOnAllAddresses,
      keepAlive: view.keepAlive,
      cnxTimeoutMs: timeouts.cnxTimeoutMs,
      greetingTimeoutMs: timeouts.syncTimeoutMs,
      onDisconnected: () => this.#driver.input({ type: "disconnected" }),
      onMessage: (from, payload) => this.#heard(from, payload, log),
    });
    this.#driver = new MachineDriver<ElectionInput, ElectionOutput>({
      machine: new FastLeaderElection({
        id: view.id,
        participant: self.role !== Role.observer,
        quorums: view.quorums,
        config: view.membershipText,
        rules: view.rules,
        isReachable: (id) => this.#transport.mayBeHeard(id),
        minNotificationIntervalMs: view.minNotificationIntervalMs,
        maxNotificationIntervalMs: view.maxNotificationIntervalMs,
      }),
      clock: ports.clock,
      tick: { type: "tick" },
      perform: (output) => this.#perform(output),
    });
  }

  /** Opens the election port. @throws the error of listening */
  listen(): Promise<void> {
    return this.#transport.listen();
  }

  /** Begins an election; `zxid` is the last on this server's disk. */
  look(basis: { zxid: number; peerEpoch: number }): void {
    this.#driver.input({ type: "look", ...basis });
  }

  /** The elected leader leads: latecomers are told its epoch. */
  established(epoch: number): void {
    this.#driver.input({ type: "established", epoch });
  }

  async close(): Promise<void> {
    this.#driver.stop();
    await this.#transport.close();
  }

  /** A notification that makes no sense is dropped, and its sender heard again next time. */
  #heard(from: number, payload: Uint8Array, log: LogThrottle): void {
    // Observers of old, which have no id, are given negative ones.
    if (from >= 0 && !this.#members.has(from)) {
      log.warn(
        "a server that no server.N line lists takes part in an election, and counts for nothing: correct its myid or add it",
        { server: from },
      );
    }
    try {
      this.#driver.input({ type: "notification", from, notification: decodeNotification(payload) });
    } catch (error) {
      log.warn("dropped a notification that makes no sense", { server: from, problem: (error as Error).message });
    }
  }

  #perform(output: ElectionOutput): void {
    switch (output.type) {
      case "notify":
        return this.#transport.send(output.to, encodeNotification(output.notification));
      case "reconnect":
        return this.#transport.connectAll();
      case "elected":
        this.#transport.forgetVotes();
        return this.#elected(output.state, output.vote);
    }
  }
}
