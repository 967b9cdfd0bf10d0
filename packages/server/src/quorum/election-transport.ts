/**
 * Carries notifications between the servers of an ensemble: one connection per pair, which the server with the larger id
 * has dialled and the other accepted. A server with the smaller id dials only to say where it is, and is dialled back.
 *
 *   FastLeaderElection ── send(to, payload) ──► slot of the peer ──► ElectionChannel ⇄ the other server
 *            ▲─────────────── onMessage ◄──────────────────────────────┘
 *
 * A slot holds one message: a newer one takes the place of one that has not left. On a new connection the last one is
 * sent again, for the one before may have lost it. Nothing is dialled again unless there is something to send
 * (`send`) or the election asks for it (`connectAll`).
 *
 * @see fact sheet "quorum-protocol", section 2; QuorumCnxManager
 */
import {
  ANONYMOUS_OBSERVER,
  type ElectionGreeting,
  encodeElectionGreeting,
  formatHostAndPort,
  type HostAndPort,
  type Member,
} from "@vivarium/protocol";
import type { Clock, Connection, Listener, Network } from "@vivarium/runtime";
import type { LogThrottle } from "../log/index.ts";
import { AwaitedGreeting } from "./awaited-greeting.ts";
import { type Dial, dial, electionAddresses, remoteEnd } from "./dial.ts";
import { ElectionChannel } from "./election-channel.ts";
import { listenPersistently } from "./listen-for-peers.ts";

export interface ElectionTransportOptions {
  network: Network;
  clock: Clock;
  log: LogThrottle;
  /** This server's id. */
  id: number;
  /** All servers in the memberships now known, this one too; looked into at every dial. Others may connect, and are not dialled. */
  members: ReadonlyMap<number, Member>;
  /** `payload` is a window on memory that is reused. Never called within a call to this transport. */
  onMessage: (from: number, payload: Uint8Array) => void;
  /** The connection with a server has ended, or could not be had. Never called within a call to this transport. */
  onDisconnected?: (serverId: number) => void;
  /** `quorumListenOnAllIPs` */
  onAllAddresses?: boolean;
  /** `tcpKeepAlive` */
  keepAlive?: boolean;
  /** `cnxTimeout`: for a dial, in milliseconds. Default 5000. */
  cnxTimeoutMs?: number;
  /** How long a peer may take to say who it is: `quorumCnxnTimeoutMs`, or syncLimit × tickTime. Default 5000. */
  greetingTimeoutMs?: number;
  /** `electionPortBindRetry`: tries to listen, a second apart; 0 for no end. Default 3. */
  bindAttempts?: number;
  /** Connections at a time; further ones are closed. Default 1000. */
  maxConnections?: number;
}

const DEFAULT_CNX_TIMEOUT_MS = 5000;
const DEFAULT_GREETING_TIMEOUT_MS = 5000;
const DEFAULT_BIND_ATTEMPTS = 3;
const BIND_PAUSE_MS = 1000;
const DEFAULT_MAX_CONNECTIONS = 1000;
/** After telling a server with a larger id where we are, its dial is awaited for so long before we tell it again. */
const DIAL_BACK_WAIT_MS = 200;

interface Peer {
  readonly id: number;
  channel: ElectionChannel | null;
  dial: Dial | null;
  /** Until then we wait to be dialled back. */
  dialsBackUntilMs: number;
  /** The message that has not left. */
  waiting: Uint8Array | null;
  /** The last one that has. */
  last: Uint8Array | null;
}

export class ElectionTransport {
  readonly #options: ElectionTransportOptions;
  readonly #peers = new Map<number, Peer>();
  readonly #greetings = new Set<AwaitedGreeting>();
  #listeners: Listener[] = [];
  /** Dialled connections on which we only said where we are. */
  readonly #farewells = new Set<Connection>();
  #nextAnonymousId = -1;
  #isClosed = false;

  constructor(options: ElectionTransportOptions) {
    this.#options = options;
  }

  /** @throws Error when an election address cannot be listened on. */
  async listen(): Promise<void> {
    const { clock, log, bindAttempts = DEFAULT_BIND_ATTEMPTS } = this.#options;
    const listeners = await listenPersistently(
      {
        ...this.#options,
        addresses: this.#ownAddresses,
        onConnection: (connection) => this.#accept(connection),
        onError: (error) => this.#options.log.warn("could not accept an election connection", { error }),
      },
      {
        clock,
        attempts: bindAttempts,
        pauseMs: BIND_PAUSE_MS,
        onFailure: (error, attempt) => log.warn("cannot listen for elections yet", { error, attempt }),
      },
    );
    this.#listeners = listeners;
    if (this.#isClosed) await this.close();
  }

  get #ownAddresses(): HostAndPort[] {
    return this.#addressesOf(this.#options.id);
  }

  #addressesOf(serverId: number): HostAndPort[] {
    return electionAddresses(this.#options.members.get(serverId)?.addresses ?? []);
  }

  /** Nothing is sent or received any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const greeting of this.#greetings) greeting.cancel();
    this.#greetings.clear();
    for (const connection of this.#farewells) connection.destroy();
    this.#farewells.clear();
    for (const peer of this.#peers.values()) {
      peer.dial?.cancel();
      peer.channel?.close();
    }
    this.#peers.clear();
    for (const listener of this.#listeners.splice(0)) await listener.close();
  }

  /** The ports listened on, in the order of the addresses. */
  get ports(): number[] {
    return this.#listeners.map(({ port }) => port);
  }

  /** Takes the place of what still waits for that server. A message to ourselves comes back soon. */
  send(to: number, payload: Uint8Array): void {
    const { id, clock, onMessage } = this.#options;
    if (this.#isClosed) return;
    if (to === id) {
      clock.defer(() => {
        if (!this.#isClosed) onMessage(id, payload);
      });
      return;
    }
    if (!this.#peers.has(to) && !this.#options.members.has(to)) return;
    const peer = this.#peer(to);
    peer.waiting = payload;
    if (peer.channel === null) this.#dial(peer);
    else this.#flush(peer);
  }

  /**
   * The election is over: what was said in it is not repeated on new connections. A server that comes back would take it
   * for a vote of today, and wait at a door where nobody leads.
   */
  forgetVotes(): void {
    for (const peer of this.#peers.values()) peer.last = null;
  }

  /** Dials every server that was ever sent to and is not connected. */
  connectAll(): void {
    for (const peer of this.#peers.values()) this.#dial(peer);
  }

  /** Whether at least one server has been sent all there was for it: then it is the answer that is missing. */
  haveDelivered(): boolean {
    for (const { waiting } of this.#peers.values()) if (waiting === null) return true;
    return false;
  }

  isConnected(serverId: number): boolean {
    return this.#peers.get(serverId)?.channel != null;
  }

  /** Whether there is a connection, or may be one in a moment: it is being dialled, or has been told to dial us. */
  mayBeHeard(serverId: number): boolean {
    const peer = this.#peers.get(serverId);
    if (peer === undefined) return false;
    return peer.channel !== null || peer.dial !== null || this.#options.clock.monotonicMs() < peer.dialsBackUntilMs;
  }

  #peer(id: number): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      peer = { id, channel: null, dial: null, dialsBackUntilMs: 0, waiting: null, last: null };
      this.#peers.set(id, peer);
    }
    return peer;
  }

  #flush(peer: Peer): void {
    const { channel, waiting } = peer;
    if (waiting === null || channel === null || !channel.isReady) return;
    peer.waiting = null;
    peer.last = waiting;
    channel.write(waiting);
  }

  /** Unless that is done or under way. */
  #dial(peer: Peer, addresses: readonly HostAndPort[] = this.#addressesOf(peer.id)): void {
    const { network, clock, cnxTimeoutMs = DEFAULT_CNX_TIMEOUT_MS } = this.#options;
    if (peer.channel !== null || peer.dial !== null || clock.monotonicMs() < peer.dialsBackUntilMs) return;
    const usable = addresses.filter(({ host }) => !isWildcard(host));
    if (usable.length === 0) {
      this.#options.log.warn("cannot dial a server: no election address of it is known", { serverId: peer.id });
      return this.#forgetUnknown(peer);
    }
    peer.dial = dial({
      network,
      addresses: usable,
      timeoutMs: cnxTimeoutMs,
      onConnect: (connection) => {
        peer.dial = null;
        this.#dialled(peer, connection);
      },
      onFail: (problem) => {
        peer.dial = null;
        this.#options.log.warn("cannot reach a server for elections", { serverId: peer.id, problem });
        this.#forgetUnknown(peer);
        this.#options.onDisconnected?.(peer.id);
      },
    });
  }

  #dialled(peer: Peer, connection: Connection): void {
    const { id, clock, cnxTimeoutMs = DEFAULT_CNX_TIMEOUT_MS } = this.#options;
    connection.write(encodeElectionGreeting({ serverId: id, addresses: this.#ownAddresses }));
    if (peer.id < id) return this.#keep(peer, connection);
    peer.dialsBackUntilMs = clock.monotonicMs() + DIAL_BACK_WAIT_MS;
    this.#farewells.add(connection);
    const linger = clock.setTimer(cnxTimeoutMs, () => connection.destroy());
    connection.onClose = () => {
      linger.cancel();
      this.#farewells.delete(connection);
    };
    connection.end();
  }

  #accept(connection: Connection): void {
    const {
      clock,
      greetingTimeoutMs = DEFAULT_GREETING_TIMEOUT_MS,
      maxConnections = DEFAULT_MAX_CONNECTIONS,
    } = this.#options;
    if (this.#isClosed) return connection.destroy();
    const peer = remoteEnd(connection);
    if (this.#greetings.size + this.#peers.size >= maxConnections) {
      this.#options.log.warn("refused an election connection: too many", { peer, maxConnections });
      return connection.destroy();
    }
    const awaited = new AwaitedGreeting({
      connection,
      clock,
      timeoutMs: greetingTimeoutMs,
      onGreeting: (greeting, rest) => {
        this.#greetings.delete(awaited);
        this.#greeted(connection, greeting, rest);
      },
      onFail: (problem) => {
        this.#greetings.delete(awaited);
        if (problem !== null) this.#refused(peer, problem);
      },
    });
    this.#greetings.add(awaited);
  }

  #refused(peer: string, problem: string): void {
    this.#options.log.warn("closed an election connection", { peer, problem });
  }

  #greeted(connection: Connection, greeting: ElectionGreeting, rest: Uint8Array): void {
    const { id } = this.#options;
    if (greeting.serverId === id) return this.#impostor(connection, greeting);
    // Observers of old have no id; we name them, and cannot dial them.
    const isAnonymous = greeting.serverId === ANONYMOUS_OBSERVER;
    const peer = this.#peer(isAnonymous ? this.#nextAnonymousId-- : greeting.serverId);
    if (isAnonymous || peer.id > id) return this.#keep(peer, connection, rest);
    hangUp(connection);
    // It has no connection to us, or would not have dialled, whatever we think we have.
    peer.channel?.close();
    peer.channel = null;
    const addresses = greeting.addresses.filter(({ host }) => !isWildcard(host));
    this.#dial(peer, addresses.length > 0 ? addresses : this.#addressesOf(peer.id));
  }

  #impostor(connection: Connection, { addresses }: ElectionGreeting): void {
    const peer = remoteEnd(connection);
    hangUp(connection);
    this.#options.log.warn("a server with this server's own id takes part in the election: give each its own myid", {
      serverId: this.#options.id,
      peer,
      itsAddresses: addresses.map(formatHostAndPort).join(" "),
    });
  }

  /** This is the connection with that server from now on. */
  #keep(peer: Peer, connection: Connection, rest?: Uint8Array): void {
    const before = peer.channel;
    const channel = new ElectionChannel({
      connection,
      onMessage: (payload) => this.#options.onMessage(peer.id, payload),
      onReady: () => this.#flush(peer),
      onClose: ({ problem, isNonsense }) => {
        peer.channel = null;
        if (isNonsense) this.#refused(`server ${peer.id} at ${channel.remoteEnd}`, problem);
        this.#forgetUnknown(peer);
        this.#options.onDisconnected?.(peer.id);
      },
    });
    if (before !== null && before.remoteAddress !== channel.remoteAddress) {
      this.#options.log.warn("a server's election connection now comes from another host: is its myid used twice?", {
        serverId: peer.id,
        before: before.remoteEnd,
        now: channel.remoteEnd,
      });
    }
    before?.close();
    // Greeting it now would make it give this connection up.
    peer.dial?.cancel();
    peer.dial = null;
    peer.dialsBackUntilMs = 0;
    peer.channel = channel;
    peer.waiting ??= peer.last;
    this.#flush(peer);
    if (rest !== undefined) channel.received(rest);
  }

  /** What was never in a membership is not remembered once it is gone. */
  #forgetUnknown(peer: Peer): void {
    if (!this.#options.members.has(peer.id)) this.#peers.delete(peer.id);
  }
}

function hangUp(connection: Connection): void {
  connection.onData = connection.onEnd = connection.onClose = () => {};
  connection.destroy();
}

/** "Any address": right to listen on, but nowhere to dial (ZOOKEEPER-2164). */
function isWildcard(host: string): boolean {
  return /^(0+(\.0+){0,3}|[0:]*::?[0:]*)$/.test(host);
}
