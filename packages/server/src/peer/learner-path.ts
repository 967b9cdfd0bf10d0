/**
 * The path of a write on a follower or an observer: forwarded to the leader, and answered when the transaction that
 * came of it is committed here. Which transaction that is, session and cxid tell: a session's requests are decided in
 * the order in which they were forwarded. @see FollowerRequestProcessor, CommitProcessor
 */
import { encode, type Reader, Writer } from "@vivarium/jute";
import { ForwardedRequestHeader, type Id, OpCode, type Txn } from "@vivarium/protocol";
import type { ClientConnection, PendingRequest } from "../client-connection.ts";
import { Fifo } from "../fifo.ts";
import { replyToWrite } from "../reply-to-write.ts";
import type { OwnedWrite, WritePath, ZooKeeperServer } from "../zookeeper-server.ts";

/** How a learner speaks to its leader. */
export interface Forwarding {
  /** Whether what it is given is on its way when the call returns, so that its memory is free again. */
  readonly takesAtOnce: boolean;
  request(data: Uint8Array, authinfo: readonly Id[]): void;
  sync(id: number, data: Uint8Array, authinfo: readonly Id[]): void;
  revalidate(sessionId: bigint, timeOut: number): void;
}

interface Waiting {
  readonly cxid: number;
  readonly connection: ClientConnection | null;
  readonly request: PendingRequest | null;
}

/** Session, cxid and type. */
const FORWARDED_HEADER_BYTES = 16;
const CHUNK_BYTES = 64 << 10;

export class LearnerPath implements WritePath {
  readonly #server: ZooKeeperServer;
  readonly #forwarding: Forwarding;
  readonly #waiting = new Map<bigint, Fifo<Waiting>>();
  readonly #syncs = new Map<number, { connection: ClientConnection; request: PendingRequest }>();
  readonly #revalidations = new Map<bigint, ((isAlive: boolean) => void)[]>();
  #nextSync = 1;
  #requests = new Writer(CHUNK_BYTES);

  constructor(server: ZooKeeperServer, forwarding: Forwarding) {
    this.#server = server;
    this.#forwarding = forwarding;
  }

  submit(write: OwnedWrite, connection: ClientConnection | null, request: PendingRequest | null): void {
    const { sessionId, cxid, type, reader } = write;
    let waiting = this.#waiting.get(sessionId);
    if (waiting === undefined) {
      waiting = new Fifo();
      this.#waiting.set(sessionId, waiting);
    }
    waiting.push({ cxid, connection, request });
    this.#forwarding.request(this.#forwardedRequest({ sessionId, cxid, type }, reader), write.authInfo);
  }

  /** Cut from memory that requests share: all of it is free again when the machine has taken them. */
  #forwardedRequest(header: ForwardedRequestHeader, record: Reader): Uint8Array {
    const size = FORWARDED_HEADER_BYTES + record.remaining;
    if (this.#forwarding.takesAtOnce) this.#requests.reset();
    if (this.#requests.bytes.length - this.#requests.length < size) {
      this.#requests = new Writer(Math.max(size, CHUNK_BYTES));
    }
    const writer = this.#requests;
    const start = writer.length;
    ForwardedRequestHeader.write(writer, header);
    writer.raw(record.bytes.subarray(record.offset, record.end));
    return writer.bytes.subarray(start, writer.length);
  }

  sync(connection: ClientConnection, request: PendingRequest): boolean {
    const id = this.#nextSync++;
    this.#syncs.set(id, { connection, request });
    const header = { sessionId: connection.sessionId, cxid: request.xid, type: OpCode.sync };
    this.#forwarding.sync(id, encode(ForwardedRequestHeader, header), connection.authInfo);
    return true;
  }

  synced(id: number): void {
    const sync = this.#syncs.get(id);
    this.#syncs.delete(id);
    if (sync?.connection.state === "open") this.#server.dispatcher.synced(sync.connection, sync.request);
    this.#server.endOfTurn();
  }

  revalidate(sessionId: bigint, timeoutMs: number, answer: (isAlive: boolean) => void): void {
    const answers = this.#revalidations.get(sessionId);
    if (answers === undefined) this.#revalidations.set(sessionId, [answer]);
    else answers.push(answer);
    this.#forwarding.revalidate(sessionId, timeoutMs);
  }

  revalidated(sessionId: bigint, isAlive: boolean): void {
    const answers = this.#revalidations.get(sessionId);
    const answer = answers?.shift();
    if (answers?.length === 0) this.#revalidations.delete(sessionId);
    answer?.(isAlive);
    this.#server.endOfTurn();
  }

  /** A transaction is committed: apply it, and answer whoever of our clients has asked for it. */
  committed(txn: Txn): void {
    const { clientId, cxid, zxid } = txn.header;
    const result = this.#server.tree.apply(txn);
    const waiting = this.#take(clientId, cxid);
    this.#server.applied(txn, waiting?.connection ?? null);
    if (waiting !== undefined) replyToWrite(this.#server, waiting, { zxid, result });
  }

  #take(sessionId: bigint, cxid: number): Waiting | undefined {
    const waiting = this.#waiting.get(sessionId);
    if (waiting === undefined || waiting.peek()?.cxid !== cxid) return undefined;
    const first = waiting.shift();
    if (waiting.length === 0) this.#waiting.delete(sessionId);
    return first;
  }
}
