/**
 * Takes each request of an open connection to where it is carried out, in the order in which it came.
 *
 *   frame ─► auth, sasl, what we do not know: answered at once
 *         ─► write: prepared and proposed now; its reply waits for the commit
 *         ─► read, ping: answered now, or after this session's own earlier writes
 *
 * Reads of one session never wait for another's writes. While too many requests are unanswered, or a client does not
 * take its replies, the connection is not read; nothing is dropped or reordered. Source: client protocol facts,
 * sections 1, 4, 11 and 13.
 */
import { ProtocolError, Reader, type Writer } from "@vivarium/jute";
import { AuthPacket, ErrorCode, type Id, OpCode, opName, SaslToken, SpecialXid } from "@vivarium/protocol";
import { withIds } from "@vivarium/tree";
import type { ClientConnection, PendingRequest, RequestFrame } from "./client-connection.ts";
import { RecordMemory } from "./record-memory.ts";
import type { RequestLimits } from "./server-limits.ts";
import type { ServerStats } from "./server-stats.ts";

/** What happens to requests of each type. */
type Route = "read" | "write" | "auth" | "sasl" | "unimplemented";

const routes = new Map<number, Route>();
for (const type of [
  OpCode.exists,
  OpCode.getData,
  OpCode.getACL,
  OpCode.getChildren,
  OpCode.getChildren2,
  OpCode.sync,
  OpCode.ping,
  OpCode.multiRead,
  OpCode.setWatches,
  OpCode.setWatches2,
  OpCode.addWatch,
  OpCode.checkWatches,
  OpCode.removeWatches,
  OpCode.getEphemerals,
  OpCode.getAllChildrenNumber,
  OpCode.whoAmI,
]) {
  routes.set(type, "read");
}
for (const type of [
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
  OpCode.delete,
  OpCode.setData,
  OpCode.setACL,
  OpCode.multi,
  OpCode.reconfig,
  OpCode.closeSession,
]) {
  routes.set(type, "write");
}
routes.set(OpCode.auth, "auth");
routes.set(OpCode.sasl, "sasl");

/** The record of a request that is refused without being looked at again. */
const NO_RECORD = { bytes: new Uint8Array(0), start: 0, end: 0 };

/** Requests of one connection between looks at the clock. */
const REQUESTS_SLICE = 8;

/** What the dispatcher needs of the rest of the server. */
export interface Dispatch {
  readonly limits: RequestLimits;
  readonly stats: ServerStats;
  /** Prepares and proposes a write; its reply comes by `completed`. False: the connection is to be closed. */
  submit(connection: ClientConnection, request: PendingRequest, reader: Reader): void;
  /** A sync that has to reach the leader first: `synced` follows. False: it may be answered like a read. */
  sync(connection: ClientConnection, request: PendingRequest): boolean;
  /** Carries out a read, appending the reply's body, and returns the error code. */
  read(connection: ClientConnection, type: number, reader: Reader, out: Writer): number;
  authenticate(connection: ClientConnection, packet: AuthPacket): AuthOutcome;
  lastProcessedZxid(): number;
  /** This turn of the event loop should do no more. */
  isTurnOver(): boolean;
  /** Drains the connection in a later turn. */
  postpone(connection: ClientConnection): void;
  /** The connection has sent what cannot be a request: close it, with one log line. */
  nonsense(connection: ClientConnection, error: ProtocolError): void;
  log(level: "info" | "warn", message: string, fields: Record<string, unknown>): void;
  /** Every answered request passes here: statistics. */
  answered(connection: ClientConnection, request: PendingRequest, zxid: number): void;
}

export interface AuthOutcome {
  err: number;
  /** What this proves, to be added to the connection's identities. */
  ids: readonly Id[];
  reason?: string;
}

export class RequestDispatcher {
  readonly #dispatch: Dispatch;
  readonly #reader = new Reader(new Uint8Array(0));
  /** The request that is answered as it is read: most are, and need no object of their own. */
  readonly #immediate = newRequest();
  /** Of the requests that wait. */
  readonly #records = new RecordMemory();
  readonly #throttled = new Set<ClientConnection>();
  /** Requests with an xid above 0 that are not yet answered. */
  outstanding = 0;
  /** Requests taken up and not yet answered, whatever their xid. */
  #inProcess = 0;
  /** Bytes of large requests that are not yet answered. */
  #largeBytes = 0;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  /**
   * Carries out what has arrived on an open connection, as far as its limits and the turn's time let it. Nonsense closes
   * the connection.
   */
  drain(connection: ClientConnection, nowMs: number): void {
    const { frames } = connection;
    try {
      for (let taken = 1; connection.state === "open" && !connection.throttled && frames.next(); taken++) {
        this.#request(connection, nowMs);
        if (this.#mustThrottle(connection)) this.#throttle(connection);
        else if (taken % REQUESTS_SLICE === 0 && this.#dispatch.isTurnOver())
          return this.#dispatch.postpone(connection);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#dispatch.nonsense(connection, error);
    }
  }

  #mustThrottle(connection: ClientConnection): boolean {
    // What the socket takes at once does not wait, and nothing would tell that it has left.
    if (connection.outputIsHigh) connection.flush();
    if (connection.outputIsHigh) return true;
    const { globalOutstandingLimit, requestThrottleMaxRequests } = this.#dispatch.limits;
    if (requestThrottleMaxRequests > 0 && this.#inProcess >= requestThrottleMaxRequests) return true;
    return globalOutstandingLimit > 0 && this.outstanding > globalOutstandingLimit && connection.outstanding > 0;
  }

  #throttle(connection: ClientConnection): void {
    this.#dispatch.stats.throttleWaits++;
    connection.throttled = true;
    connection.socket.pause();
    this.#throttled.add(connection);
  }

  /** Goes on reading connections whose reason to wait has gone. Called after replies left and after drains. */
  resume(nowMs: number): void {
    if (this.#throttled.size === 0) return;
    for (const connection of [...this.#throttled]) {
      if (connection.state !== "open") this.#throttled.delete(connection);
      else if (!this.#mustThrottle(connection)) {
        this.#throttled.delete(connection);
        connection.throttled = false;
        if (this.#dispatch.isTurnOver()) this.#dispatch.postpone(connection);
        else this.drain(connection, nowMs);
        if (!connection.throttled && !connection.isHeldBack) connection.socket.resume();
      }
    }
  }

  #request(connection: ClientConnection, nowMs: number): void {
    const { bytes, start, end } = connection.frames;
    const reader = this.#reader;
    reader.reset(bytes, start, end);
    const xid = reader.int();
    const type = reader.int();
    connection.countReceived();
    const route = routes.get(type) ?? "unimplemented";
    if (route === "auth" || route === "sasl") return this.#prove(connection, xid, route, reader);
    if (!this.#isProven(connection)) {
      connection.reply({ xid, zxid: 0, err: ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH });
      this.#dispatch.log("warn", "a client did not authenticate as enforce.auth.schemes requires", {
        client: connection.describe(),
      });
      return connection.close("authentication required");
    }
    if (route === "unimplemented") {
      connection.reply({ xid, zxid: -1, err: ErrorCode.UNIMPLEMENTED });
      this.#dispatch.log("warn", `refused a request that clients may not send: ${opName(type)}`, {
        client: connection.describe(),
      });
      return connection.close("unknown request");
    }
    const isImmediate = route === "read" && type !== OpCode.sync && connection.pending.length === 0;
    const request = isImmediate ? this.#immediate : newRequest();
    request.xid = xid;
    request.type = type;
    request.receivedMs = connection.arrivedMs;
    request.size = end - start;
    request.refusal = ErrorCode.OK;
    if (nowMs > request.receivedMs && this.#isStale(connection, request, nowMs)) return;
    this.#admit(connection, request);
    if (isImmediate) return this.#answerRead(connection, request, reader);
    if (route === "write" && request.refusal === ErrorCode.OK) {
      connection.pending.push(request);
      if (connection.syncs > 0) this.#hold(connection, request, this.#records.keep(bytes, reader.offset, end));
      else this.#dispatch.submit(connection, request, reader);
    } else if (type === OpCode.sync) {
      request.frame = this.#records.keep(bytes, reader.offset, end);
      request.isSyncing = true;
      connection.syncs++;
      connection.pending.push(request);
      // On a leader with nothing on its way `synced` follows within this very call.
      if (!this.#dispatch.sync(connection, request)) this.synced(connection, request);
    } else if (connection.pending.length > 0) {
      request.frame = this.#records.keep(bytes, reader.offset, end);
      connection.pending.push(request);
    } else {
      this.#answerRead(connection, request, reader);
    }
  }

  /** A request that the throttles held back may be too old: then it is refused, or dropped with its connection. */
  #isStale(connection: ClientConnection, request: PendingRequest, nowMs: number): boolean {
    const { dropStaleRequests, throttledOpWaitTimeMs } = this.#dispatch.limits;
    const waitedMs = nowMs - request.receivedMs;
    if (dropStaleRequests && waitedMs > (connection.session?.timeoutMs ?? 0)) {
      this.#dispatch.stats.staleRequestsDropped++;
      this.#dispatch.log("warn", "dropped a request older than its session's timeout, and its connection", {
        client: connection.describe(),
        waitedMs,
      });
      connection.close("stale request");
      return true;
    }
    const isSpared = request.type === OpCode.ping || request.type === OpCode.closeSession;
    if (throttledOpWaitTimeMs > 0 && waitedMs > throttledOpWaitTimeMs && !isSpared) {
      request.refusal = ErrorCode.THROTTLEDOP;
      this.#dispatch.stats.throttledOps++;
    }
    return false;
  }

  #admit(connection: ClientConnection, request: PendingRequest): void {
    const { largeRequestThresholdBytes, largeRequestMaxBytes } = this.#dispatch.limits;
    if (largeRequestThresholdBytes !== -1 && request.size > largeRequestThresholdBytes) {
      if (this.#largeBytes + request.size > largeRequestMaxBytes) {
        this.#dispatch.stats.largeRequestsRejected++;
        throw new ProtocolError(
          `a request of ${request.size} bytes while ${this.#largeBytes} bytes of large requests are on the way: ` +
            `largeRequestMaxBytes is ${largeRequestMaxBytes}`,
        );
      }
      this.#largeBytes += request.size;
    }
    this.#inProcess++;
    if (request.xid > 0) {
      connection.outstanding++;
      this.outstanding++;
    }
  }

  /** The reverse of `#admit`, when a request is answered or its connection has gone. */
  release(connection: ClientConnection, request: PendingRequest): void {
    const threshold = this.#dispatch.limits.largeRequestThresholdBytes;
    if (threshold !== -1 && request.size > threshold) this.#largeBytes -= request.size;
    this.#inProcess--;
    if (request.xid > 0) {
      connection.outstanding--;
      this.outstanding--;
    }
  }

  /** Answers a pending request with an error once those before it are answered. */
  refuse(connection: ClientConnection, request: PendingRequest, err: number): void {
    request.refusal = err;
    request.frame = NO_RECORD;
    this.drainPending(connection);
  }

  /** The leader has answered a sync: the request is a read from now on. */
  synced(connection: ClientConnection, request: PendingRequest): void {
    request.isSyncing = false;
    connection.syncs--;
    this.#submitHeld(connection);
    this.drainPending(connection);
  }

  /**
   * A write behind a sync is not on its way before that is answered: it could be committed first, for the leader asks
   * its quorum about the sync, and what is read between the two would show it.
   */
  #hold(connection: ClientConnection, request: PendingRequest, frame: RequestFrame): void {
    request.frame = frame;
    request.isHeld = true;
    connection.heldWrites++;
  }

  /** The writes up to the next sync that is not answered. */
  #submitHeld(connection: ClientConnection): void {
    if (connection.heldWrites === 0) return;
    for (const request of connection.pending.toArray()) {
      if (request.isSyncing) return;
      if (!request.isHeld || request.frame === null) continue;
      const { bytes, start, end } = request.frame;
      request.frame = null;
      request.isHeld = false;
      connection.heldWrites--;
      this.#reader.reset(bytes, start, end);
      this.#dispatch.submit(connection, request, this.#reader);
    }
  }

  /** After the connection's first pending write was answered: the reads that waited for it, up to the next write. */
  drainPending(connection: ClientConnection): void {
    for (let next = connection.pending.peek(); next?.frame && !isWaiting(next); next = connection.pending.peek()) {
      connection.pending.shift();
      this.#reader.reset(next.frame.bytes, next.frame.start, next.frame.end);
      this.#answerRead(connection, next, this.#reader);
    }
  }

  #answerRead(connection: ClientConnection, request: PendingRequest, reader: Reader): void {
    const { type } = request;
    const xid = type === OpCode.ping ? SpecialXid.ping : request.xid;
    // What may send events of its own is done before the reply begins, for packets cannot lie inside one another.
    const at = sendsEvents(type) ? -1 : connection.beginReply();
    const err = this.#err(connection, request, reader);
    const zxid = this.#dispatch.lastProcessedZxid();
    connection.finishReply(at === -1 ? connection.beginReply() : at, { xid, zxid, err });
    this.#finish(connection, request, zxid);
  }

  #err(connection: ClientConnection, request: PendingRequest, reader: Reader): number {
    if (request.refusal !== ErrorCode.OK || request.type === OpCode.ping) return request.refusal;
    return this.#dispatch.read(connection, request.type, reader, connection.out);
  }

  #finish(connection: ClientConnection, request: PendingRequest, zxid: number): void {
    this.release(connection, request);
    this.#dispatch.answered(connection, request, zxid);
  }

  #isProven(connection: ClientConnection): boolean {
    const schemes = this.#dispatch.limits.enforcedSchemes;
    return schemes === null || connection.authInfo.some((id) => schemes.has(id.scheme ?? ""));
  }

  /** auth and sasl prove identities. They do not queue behind other requests. */
  #prove(connection: ClientConnection, xid: number, route: "auth" | "sasl", reader: Reader): void {
    if (route === "sasl") {
      // No mechanism is configured: Apache answers OK with a null token, and the client goes on without SASL.
      if (SaslToken.read(reader).token === null) throw new ProtocolError("a SASL request without a token");
      const at = connection.beginReply();
      SaslToken.write(connection.out, { token: null });
      connection.finishReply(at, { xid, zxid: 0, err: ErrorCode.OK });
      return;
    }
    const packet = AuthPacket.read(reader);
    const outcome = this.#dispatch.authenticate(connection, packet);
    connection.reply({ xid, zxid: 0, err: outcome.err });
    if (outcome.err === ErrorCode.OK) {
      connection.authInfo = withIds(connection.authInfo, outcome.ids);
      return;
    }
    this.#dispatch.log("warn", `authentication failed for scheme ${packet.scheme}`, {
      client: connection.describe(),
      reason: outcome.reason ?? "",
    });
    connection.close("authentication failed");
  }
}

function newRequest(): PendingRequest {
  return {
    xid: 0,
    type: 0,
    receivedMs: 0,
    frame: null,
    size: 0,
    refusal: ErrorCode.OK,
    isSyncing: false,
    isHeld: false,
  };
}

/** It has its bytes still, and may not be carried out yet. */
function isWaiting({ isSyncing, isHeld }: PendingRequest): boolean {
  return isSyncing || isHeld;
}

function sendsEvents(type: number): boolean {
  return type === OpCode.setWatches || type === OpCode.setWatches2;
}

/** Whether requests of this type become transactions. */
export function isWrite(type: number): boolean {
  return routes.get(type) === "write";
}
