/**
 * What goes over one connection after the other: requests out in the order of their calls, answers and watch events in.
 * It knows the order of packets; when to connect, ping or give up is the session machine's to say.
 *
 *   out: ConnectRequest, auth packets, setWatches, requests … ping … closeSession
 *   in:  ConnectResponse, then answers in the order of the requests, with notifications, pings and auth among them
 *
 * Invariants: an answer belongs to the first request in flight, anything else is a ProtocolError; a watch event is
 * delivered before the answer behind it is; everything is written to `output`, which the driver sends once per turn.
 */
import { FrameBuffer, ProtocolError, Reader, Writer } from "@vivarium/jute";
import {
  ConnectRequest,
  ConnectResponse,
  ErrorCode,
  errorName,
  OpCode,
  REPLY_HEADER_BYTES,
  SpecialXid,
  type Zxid,
} from "@vivarium/protocol";
import { type Counters, noCounts } from "./counters.ts";
import { authFailed, type Credential, Credentials } from "./credentials.ts";
import { BadArgumentsError, ReplyTooLargeError, requestError } from "./errors.ts";
import { GapCheck } from "./gap-check.ts";
import { operations } from "./operations.ts";
import { rearmChunks, writeRearm } from "./rearm.ts";
import type { Request } from "./request.ts";
import { RequestQueue, type RequestQueueOptions } from "./request-queue.ts";
import { nodeEventType } from "./watch-event.ts";
import { type PersistentWatcher, type Watcher, WatchRegistry } from "./watch-registry.ts";

export interface ExchangeOptions extends RequestQueueOptions {
  /** The server's jute.maxbuffer: it closes the connection on larger requests. */
  maxRequestBytes: number;
  maxReplyBytes: number;
}

export interface ExchangeOwner {
  /** The answer came to something that was sent at `sentMs`. */
  acknowledged(sentMs: number): void;
  authRefused(credential: Credential): void;
}

export interface Handshake {
  timeoutMs: number;
  sessionId: bigint;
  password: Uint8Array;
  readOnly: boolean;
}

/** No more is put into the output before it is sent: large requests wait with their data, not in it. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;
const MAX_XID = 0x7fffffff;
const HEADER_BYTES = 12;

export class Exchange {
  readonly output = new Writer();
  readonly queue: RequestQueue;
  readonly watches = new WatchRegistry();
  readonly credentials = new Credentials();
  readonly counters: Counters = noCounts();
  /** True while the network has more to send than is good: then requests wait. */
  blocked = false;
  /** The newest zxid seen in an answer. */
  lastZxid: Zxid = 0;

  readonly #options: ExchangeOptions;
  readonly #owner: ExchangeOwner;
  readonly #reader = new Reader(new Uint8Array(0));
  #frames: FrameBuffer;
  #xid = 0;
  #pingSentMs: number | undefined;
  /** setWatches packets without an answer. */
  #rearming = 0;
  #resumed = true;
  /** What watches have seen, when it is not what the session has seen: between an expired session and the next. */
  #watchZxid: Zxid | undefined;

  constructor(options: ExchangeOptions, owner: ExchangeOwner) {
    this.#options = options;
    this.#owner = owner;
    this.queue = new RequestQueue(options);
    this.#frames = new FrameBuffer(options.maxReplyBytes, "maxReplyBytes");
  }

  // --- a connection begins and ends

  writeConnect(request: Handshake): void {
    const writer = this.output;
    const at = writer.reserve(4);
    writer.length = at + 4;
    ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: this.lastZxid,
      timeOut: request.timeoutMs,
      sessionId: request.sessionId,
      passwd: request.password,
    });
    writer.bool(request.readOnly);
    writer.view.setInt32(at, writer.length - at - 4);
  }

  /** The session is there: identities, watches, what the watches may have missed, then what waits. */
  open(nowMs: number, resumed: boolean): void {
    this.credentials.writeAll(this.output);
    this.#rearm(resumed);
    this.pump(nowMs);
  }

  #rearm(resumed: boolean): void {
    this.#resumed = resumed;
    for (const chunk of rearmChunks(this.watches.rearm())) {
      writeRearm(this.output, chunk, this.#watchZxid ?? this.lastZxid);
      this.#rearming++;
    }
    this.#watchZxid = undefined;
    if (!resumed) return;
    const checks: Request[] = [];
    for (const watcher of this.watches.persistentWatchers()) {
      if (!watcher.recursive && watcher.missedSince !== undefined) checks.push(new GapCheck(watcher));
    }
    this.queue.waitFirst(checks);
  }

  lost(server: string, error: Error): void {
    this.output.reset();
    this.blocked = false;
    this.#frames = new FrameBuffer(this.#options.maxReplyBytes, "maxReplyBytes");
    this.#pingSentMs = undefined;
    this.#rearming = 0;
    this.credentials.connectionLost();
    for (const watcher of this.watches.persistentWatchers()) watcher.missedSince ??= this.lastZxid;
    const waiting = this.queue.waiting;
    this.queue.connectionLost(server, error);
    this.counters.resent += this.queue.waiting - waiting;
  }

  /** The next session starts afresh: it may meet servers that know less than the last one had seen. */
  sessionEnded(): void {
    this.#watchZxid ??= this.lastZxid;
    this.lastZxid = 0;
  }

  // --- out

  /** Sends now if the connection is open and nothing waits; otherwise the request waits. */
  submit(request: Request, open: boolean, nowMs: number): void {
    this.counters.requests++;
    if (open && this.queue.canSendNow && this.#hasRoom) this.#send(request, nowMs);
    else this.queue.wait(request);
  }

  get #hasRoom(): boolean {
    return !this.blocked && this.output.length < OUTPUT_LIMIT_BYTES;
  }

  /** Sends what waits, as far as the window and the output go. */
  pump(nowMs: number): void {
    while (this.#hasRoom) {
      const request = this.queue.nextToSend();
      if (request === undefined) return;
      this.#send(request, nowMs);
    }
  }

  #send(request: Request, nowMs: number): void {
    const writer = this.output;
    const at = writer.reserve(HEADER_BYTES);
    writer.length = at + HEADER_BYTES;
    try {
      request.operation.encode(writer, request);
    } catch (error) {
      writer.length = at;
      request.fail(() => badArguments(request, error instanceof Error ? error.message : String(error)));
      return;
    }
    const size = writer.length - at - 4;
    if (size > this.#options.maxRequestBytes) {
      writer.length = at;
      request.fail(() => tooLarge(request, size, this.#options.maxRequestBytes));
      return;
    }
    this.#xid = this.#xid === MAX_XID ? 1 : this.#xid + 1;
    request.xid = this.#xid;
    request.sentAtMs = nowMs;
    request.requestBytes = size;
    const { view } = writer;
    view.setInt32(at, size);
    view.setInt32(at + 4, this.#xid);
    view.setInt32(at + 8, request.operation.code);
    this.queue.sent(request);
  }

  ping(nowMs: number): void {
    const writer = this.output;
    writer.int(8);
    writer.int(SpecialXid.ping);
    writer.int(OpCode.ping);
    // An unanswered ping keeps its time: its answer may still come, and proves less than a later one's.
    this.#pingSentMs ??= nowMs;
    this.counters.pings++;
  }

  // --- in

  append(chunk: Uint8Array): void {
    this.counters.receivedBytes += chunk.length;
    this.#frames.append(chunk);
  }

  /** The ConnectResponse, or undefined until the whole of it is there. */
  readConnect(): Handshake | undefined {
    if (!this.#frames.next()) return undefined;
    const reader = this.#nextReader();
    const { timeOut, sessionId, passwd } = ConnectResponse.read(reader);
    const readOnly = reader.remaining > 0 && reader.bool();
    return { timeoutMs: timeOut, sessionId, password: passwd ?? new Uint8Array(16), readOnly };
  }

  /** Handles one packet; false when no whole one is there. */
  receive(nowMs: number): boolean {
    if (!this.#nextFrame()) return false;
    const reader = this.#nextReader();
    const xid = reader.int();
    const zxid = reader.number();
    const err = reader.int();
    switch (xid) {
      case SpecialXid.notification:
        this.#notified(reader, zxid);
        return true;
      case SpecialXid.ping:
        this.#pinged(nowMs);
        break;
      case SpecialXid.auth:
        this.#authenticated(err);
        break;
      case SpecialXid.setWatches:
        this.#rearmed(zxid);
        break;
      default:
        this.#answered(reader, xid, err);
    }
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    return true;
  }

  #nextFrame(): boolean {
    const size = this.#frames.peekInt();
    if (size !== undefined && size > this.#options.maxReplyBytes) this.#failTooLarge(size);
    return this.#frames.next();
  }

  #nextReader(): Reader {
    const frames = this.#frames;
    this.#reader.reset(frames.bytes, frames.start, frames.end);
    return this.#reader;
  }

  /** Only an answer can be that large, and asking again would only bring it again: its request fails for good. */
  #failTooLarge(size: number): void {
    const request = this.queue.first();
    const limit = this.#options.maxReplyBytes;
    request?.fail(
      () =>
        new ReplyTooLargeError(ErrorCode.MARSHALLINGERROR, {
          op: request.operation.name,
          path: request.callerPath,
          mayHaveHappened: request.operation.writes,
          detail: `the answer takes ${size} bytes, and the limit maxReplyBytes is ${limit}`,
        }),
    );
  }

  #notified(reader: Reader, zxid: Zxid): void {
    const code = reader.int();
    reader.int();
    const path = reader.ustring();
    const type = nodeEventType(code);
    this.counters.watchEvents++;
    if (type !== undefined) this.watches.dispatch(type, path, zxid > 0 ? zxid : null);
  }

  #pinged(nowMs: number): void {
    if (this.#pingSentMs === undefined) return;
    this.counters.lastPingMs = nowMs - this.#pingSentMs;
    this.#owner.acknowledged(this.#pingSentMs);
    this.#pingSentMs = undefined;
  }

  #authenticated(err: number): void {
    const credential = this.credentials.answered();
    if (credential === undefined) throw new ProtocolError("an answer to an auth packet that was not sent");
    if (err === ErrorCode.OK) {
      credential.accepted();
      return;
    }
    credential.refused(() => authFailed(credential.scheme));
    this.#owner.authRefused(credential);
  }

  /**
   * All watches are set again. What happened below a recursive one meanwhile is not known, only whether anything can
   * have. After a new session zxids cannot be compared at all: it may be another ensemble's.
   */
  #rearmed(zxid: Zxid): void {
    this.#rearming--;
    if (this.#rearming > 0) return;
    for (const watcher of this.watches.persistentWatchers()) {
      const since = watcher.missedSince;
      if (since === undefined || (this.#resumed && !watcher.recursive)) continue;
      watcher.missedSince = undefined;
      if (!this.#resumed) watcher.missed(since, "newSession");
      else if (zxid !== since) watcher.missed(since, "reconnected");
    }
  }

  #answered(reader: Reader, xid: number, err: number): void {
    const request = this.queue.first();
    if (err === ErrorCode.UNIMPLEMENTED && request?.xid !== xid && this.#refuseUnknown(xid)) return;
    if (request === undefined || request.xid !== xid) {
      const expected =
        request === undefined ? "none is in flight" : `${request.xid} (${request.operation.name}) is next`;
      throw new ProtocolError(`an answer (${errorName(err)}) to request ${xid}, but ${expected}`);
    }
    this.queue.answered();
    request.replyBytes = reader.remaining + REPLY_HEADER_BYTES;
    this.#owner.acknowledged(request.sentAtMs);
    if (err === ErrorCode.OK) {
      this.counters.succeeded++;
      this.#succeed(request, reader);
    } else {
      this.counters.refused++;
      this.#refuse(request, err);
    }
  }

  /** A server answers an operation it does not know at once, before those in front, and closes the connection. */
  #refuseUnknown(xid: number): boolean {
    const request = this.queue.inFlightWith(xid);
    if (request === undefined) return false;
    this.#refuse(request, ErrorCode.UNIMPLEMENTED);
    return true;
  }

  #succeed(request: Request, reader: Reader): void {
    if (request.settled) return;
    if (request.watcher !== undefined) this.#setWatch(request, false);
    let value: unknown;
    try {
      value = request.operation.decode(reader, request);
    } catch (error) {
      request.fail(() => garbled(request, error));
      throw error;
    }
    request.succeed(value);
  }

  #refuse(request: Request, err: number): void {
    // A missing node is an answer to exists, not a failure.
    if (err === ErrorCode.NONODE && request.operation === operations.exists) {
      if (request.watcher !== undefined && !request.settled) this.#setWatch(request, true);
      request.succeed(null);
      return;
    }
    request.fail(() => requestError(err, { op: request.operation.name, path: request.callerPath }));
  }

  #setWatch(request: Request, missing: boolean): void {
    const { operation, path } = request;
    if (operation === operations.addWatch) this.watches.addPersistent(request.watcher as PersistentWatcher);
    else if (missing) this.watches.addOneShot("exist", path, request.watcher as Watcher);
    else
      this.watches.addOneShot(
        operation === operations.getChildren ? "child" : "data",
        path,
        request.watcher as Watcher,
      );
  }
}

function badArguments(request: Request, detail: string): Error {
  const { operation, callerPath } = request;
  return new BadArgumentsError(ErrorCode.BADARGUMENTS, { op: operation.name, path: callerPath, detail });
}

function tooLarge(request: Request, size: number, limit: number): Error {
  const what = `the request takes ${size} bytes, and the limit maxRequestBytes is ${limit}`;
  return badArguments(request, `${what}; a server closes the connection on more than its jute.maxbuffer`);
}

function garbled(request: Request, cause: unknown): Error {
  return requestError(ErrorCode.MARSHALLINGERROR, {
    op: request.operation.name,
    path: request.callerPath,
    mayHaveHappened: request.operation.writes,
    detail: `the answer cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
  });
}
