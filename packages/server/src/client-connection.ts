/**
 * One client's connection: what has arrived and is not yet cut into requests, what is to be sent, the session that
 * lives on it, and the requests that wait for earlier writes of the same session.
 *
 *   socket ─► frames ─► (pending, in order) ─► out ─► socket, one write for all that a turn produced
 *
 * A watch event is written to `out` when its transaction is applied, and so lies before every reply that shows that
 * transaction. Nothing is written after `close`.
 */
import { FrameBuffer, SpareMemory, Writer } from "@vivarium/jute";
import { type Id, KeeperState, opName, REPLY_HEADER_BYTES, SpecialXid, WatcherEvent } from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import { type Caller, ipId, type WatchEvent, type Watcher } from "@vivarium/tree";
import type { Expiring } from "./expiry-queue.ts";
import { Fifo } from "./fifo.ts";
import { Latency } from "./latency.ts";
import type { ServerStats } from "./server-stats.ts";
import type { Session } from "./session-tracker.ts";

/** A request that has arrived and is not yet answered. */
export interface PendingRequest {
  xid: number;
  type: number;
  receivedMs: number;
  /** For a write that is prepared: nothing more is needed. For a request that waits: its record. */
  frame: RequestFrame | null;
  /** Bytes of the whole request. */
  size: number;
  /** The error to answer without doing anything: the throttles have refused it. OK for nearly all. */
  refusal: number;
  /** A sync whose answer from the leader is still to come. */
  isSyncing: boolean;
  /** A write that waits for a sync before it, and is not decided yet. */
  isHeld: boolean;
}

/** Where a request's record lies. */
export interface RequestFrame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** What a connection needs of its server. */
export interface ConnectionHost {
  /** Whether these identities may see events of a node with this ACL. */
  mayRead(aclId: number, authInfo: readonly Id[]): boolean;
  /** The connection has bytes to send at the end of this turn. */
  needsFlush(connection: ClientConnection): void;
  /** The connection is over, whoever ended it: called once, before its socket is gone. */
  closing(connection: ClientConnection): void;
  readonly stats: ServerStats;
}

/** Above this much unsent output the server stops reading a connection until its client has caught up. */
export const OUTPUT_HIGH_WATER_BYTES = 1 << 20;
/** Above this much unsent output a connection that is due another watch event is closed instead. */
export const OUTPUT_LIMIT_BYTES = 64 << 20;
const REPLY_START_BYTES = 4 + REPLY_HEADER_BYTES;
const FIRST_OUTPUT_BYTES = 512;
/** An output buffer that has grown beyond this is given back once it is sent. */
const KEPT_OUTPUT_BYTES = 64 << 10;

/** For requests that come in pieces and for outputs, of all connections. */
const frameMemory = new SpareMemory(16 << 20);
const outputMemory = new SpareMemory(16 << 20);

export class ClientConnection implements Watcher, Caller, Expiring {
  readonly id: number;
  readonly socket: Connection;
  readonly frames: FrameBuffer;
  readonly pending = new Fifo<PendingRequest>();
  /** Of the pending requests: syncs that are not answered, and writes that wait for them. */
  syncs = 0;
  heldWrites = 0;
  readonly latency = new Latency();
  readonly establishedMs: number;
  readonly #host: ConnectionHost;
  out = new Writer(FIRST_OUTPUT_BYTES, 0, outputMemory);
  /** The memory of outputs that the socket has perhaps not taken yet. */
  readonly #given: Uint8Array[] = [];

  /** The connection's own deadline for showing life, in the listener's expiry queue. */
  dueMs = 0;
  /** Identities proven so far, the peer's address first. */
  authInfo: readonly Id[];
  session: Session | null = null;
  /**
   * "new" until its first bytes; then "answering" a four-letter word, or "establishing" until the answer to its
   * ConnectRequest is out and "open" after that; "closed".
   */
  state: "new" | "answering" | "establishing" | "open" | "closed" = "new";
  /** Reading is stopped by the server's limits. */
  throttled = false;
  /** Set while this connection stands in the server's list of those to flush. */
  dirty = false;
  /** Set while it stands in the list of those whose requests wait for a later turn. */
  isLate = false;
  /** Reading is stopped until its turn has come. */
  isHeldBack = false;
  /** The client will send no more. */
  hasEnded = false;
  closeReason = "";

  /** When the last bytes came, by the monotonic clock: what is read of them later has waited since then. */
  arrivedMs: number;
  received = 0;
  sent = 0;
  /** Requests with an xid above 0 that are not yet answered. */
  outstanding = 0;
  /** The last operation's OpCode; -1 before the first. */
  #lastType = -1;
  lastCxid = 0;
  lastZxid = -1;
  lastResponseMs: number;
  lastLatencyMs = 0;

  constructor(options: {
    id: number;
    socket: Connection;
    host: ConnectionHost;
    maxFrameBytes: number;
    nowMs: number;
    wallMs: number;
  }) {
    this.id = options.id;
    this.socket = options.socket;
    this.#host = options.host;
    this.frames = new FrameBuffer(options.maxFrameBytes, undefined, frameMemory);
    this.establishedMs = options.wallMs;
    this.lastResponseMs = options.nowMs;
    this.arrivedMs = options.nowMs;
    this.authInfo = [ipId(options.socket.remoteAddress)];
  }

  /** The peer, as log lines and four-letter words show it. */
  get peer(): string {
    return `${this.socket.remoteAddress}:${this.socket.remotePort}`;
  }

  /** The last operation, as the `cons` word shows it. */
  get lastOp(): string {
    return this.#lastType === -1 ? "NA" : opCodeLetters(this.#lastType);
  }

  /** With `authInfo` and `watcher`: what the tree needs to know of whoever asks. */
  get sessionId(): bigint {
    return this.session?.id ?? 0n;
  }

  get watcher(): this {
    return this;
  }

  /** Leaves room for a reply's length and header; the body is appended to `out` before `finishReply`. */
  beginReply(): number {
    const at = this.out.reserve(REPLY_START_BYTES);
    this.out.length = at + REPLY_START_BYTES;
    return at;
  }

  /** Completes the reply begun at `at`. A reply with an error carries no body, whatever was appended. */
  finishReply(at: number, reply: { xid: number; zxid: number; err: number }): void {
    const { out } = this;
    if (reply.err !== 0) out.length = at + REPLY_START_BYTES;
    const end = out.length;
    out.length = at;
    out.int(end - at - 4);
    out.int(reply.xid);
    out.number(reply.zxid);
    out.int(reply.err);
    out.length = end;
    this.sent++;
    this.#host.stats.response(end - at - 4);
    this.#wantFlush();
  }

  reply(reply: { xid: number; zxid: number; err: number }): void {
    if (this.state === "closed") return;
    this.finishReply(this.beginReply(), reply);
  }

  /** Remembers an answered request for the statistics. */
  answered(request: { xid: number; type: number; receivedMs: number }, zxid: number, nowMs: number): void {
    const latencyMs = nowMs - request.receivedMs;
    this.latency.add(latencyMs);
    this.lastLatencyMs = latencyMs;
    this.lastResponseMs = nowMs;
    // The client's last real request is of interest, not its pings.
    if (request.xid >= 0) this.lastCxid = request.xid;
    this.lastZxid = zxid;
    this.#lastType = request.type;
  }

  countReceived(): void {
    this.received++;
    this.#host.stats.received++;
  }

  resetStats(): void {
    this.received = 0;
    this.sent = 0;
    this.latency.reset();
    this.#lastType = -1;
    this.lastCxid = -1;
    this.lastZxid = 0;
    this.lastResponseMs = 0;
    this.lastLatencyMs = 0;
  }

  /** Sends a packet that is neither reply nor event: the answer to a ConnectRequest or to a four-letter word. */
  send(packet: Uint8Array): void {
    if (this.state === "closed") return;
    this.append(packet);
    this.sent++;
    this.#host.stats.sent++;
  }

  /** Sends a part of a packet that `send` will end. */
  append(packet: Uint8Array): void {
    if (this.state === "closed") return;
    this.out.raw(packet);
    this.#wantFlush();
  }

  /** A watch has fired: tell the client, if it may read the node. */
  process(event: WatchEvent): void {
    if (this.state === "closed" || !this.#host.mayRead(event.aclId, this.authInfo)) return;
    event.packet ??= notification(event);
    // A client that watches much and reads nothing must not take the server's memory.
    if (this.#unsentBytes > OUTPUT_LIMIT_BYTES) return this.close("it does not take its watch events");
    this.append(event.packet);
    this.sent++;
    this.#host.stats.watchEvent(event.packet.length - 4);
  }

  #wantFlush(): void {
    if (this.dirty) return;
    this.dirty = true;
    this.#host.needsFlush(this);
  }

  /** Hands everything produced so far to the socket in one write. */
  flush(): void {
    this.dirty = false;
    const { out, socket } = this;
    if (out.length === 0 || this.state === "closed") return;
    socket.write(out.written());
    // What the kernel has taken can be overwritten; otherwise the socket still reads from this memory.
    const isTaken = socket.bufferedBytes === 0;
    if (isTaken && out.bytes.length <= KEPT_OUTPUT_BYTES) {
      out.reset();
    } else {
      this.#given.push(out.bytes);
      // Who has asked for much will ask for as much again; who does not, keeps little.
      this.out = new Writer(FIRST_OUTPUT_BYTES, Math.min(out.length, OUTPUT_HIGH_WATER_BYTES), outputMemory);
    }
    if (isTaken && this.#given.length > 0) this.taken();
  }

  /** The socket has taken all that it was given. */
  taken(): void {
    for (const bytes of this.#given) outputMemory.give(bytes);
    this.#given.length = 0;
  }

  get #unsentBytes(): number {
    return this.socket.bufferedBytes + this.out.length;
  }

  get outputIsHigh(): boolean {
    return this.#unsentBytes > OUTPUT_HIGH_WATER_BYTES;
  }

  /** Sends what is ready, then closes. */
  close(reason: string): void {
    if (this.state === "closed") return;
    this.flush();
    this.state = "closed";
    this.closeReason = reason;
    this.#host.closing(this);
    this.socket.end();
    // Its client's end of the connection comes after whatever else that may still send.
    this.socket.resume();
  }

  describe(): string {
    const session = this.session === null ? "no session" : `session 0x${sessionHex(this.session.id)}`;
    return `${this.peer} (${session})`;
  }
}

export function sessionHex(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16);
}

function notification(event: WatchEvent): Uint8Array {
  const writer = new Writer(64);
  writer.int(0);
  writer.int(SpecialXid.notification);
  writer.number(event.zxid);
  writer.int(0);
  WatcherEvent.write(writer, { type: event.type, state: KeeperState.SyncConnected, path: event.path });
  writer.view.setInt32(0, writer.length - 4);
  return writer.copy();
}

const LETTERS: Record<string, string> = {
  createSession: "SESS",
  ping: "PING",
  create: "CREA",
  create2: "CREA",
  createTTL: "CREA",
  createContainer: "CREA",
  delete: "DELE",
  deleteContainer: "DELE",
  exists: "EXIS",
  getData: "GETD",
  check: "CHEC",
  setData: "SETD",
  setWatches: "SETW",
  setWatches2: "STW2",
  addWatch: "ADDW",
  getACL: "GETA",
  setACL: "SETA",
  getChildren: "GETC",
  getChildren2: "GETC",
  sync: "SYNC",
  multi: "MULT",
  multiRead: "MLTR",
  reconfig: "RECO",
  closeSession: "CLOS",
  checkWatches: "CHKW",
  removeWatches: "REMW",
  getEphemerals: "GETE",
  getAllChildrenNumber: "GETACN",
  sasl: "SASL",
  whoAmI: "HOMI",
};

/** The four letters by which the `cons` word names the last operation. */
function opCodeLetters(type: number): string {
  return LETTERS[opName(type)] ?? "OP";
}
