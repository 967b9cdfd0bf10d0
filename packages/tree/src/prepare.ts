/**
 * From request to transaction: the first step of every write, on the leader only. Requests are judged in the order in
 * which they will be applied, by the tree as it will be when their turn comes; what comes out says what to do and needs
 * no more judging. A refused request becomes an error transaction, which takes a zxid like any other.
 *
 * Invariants: every request that can be decoded gets exactly one transaction and one zxid, and so does every multi;
 * `entry` is the transaction byte for byte as the log and the followers get it; the digest in it is the tree's after
 * applying it.
 *
 * It differs from Apache in one thing: there a request that cannot be decoded becomes an error transaction under the
 * zxid of the one before, which makes a log with the same zxid twice. Here it leaves nothing behind.
 *
 * Source: client protocol facts, section 10; disk format facts, section 4.1. @see PrepRequestProcessor
 */
import { ProtocolError, type Reader } from "@vivarium/jute";
import {
  CONFIG_PATH,
  DIGEST_VERSION,
  ErrorCode,
  OpCode,
  opName,
  Perms,
  ReconfigRequest,
  TXN_DIGEST_BYTES,
  TXN_HEADER_BYTES,
  type Txn,
  type TxnBody,
  TxnDigest,
  TxnHeader,
  writeTxnBody,
  type Zxid,
} from "@vivarium/protocol";
import type { AuthRegistry } from "./auth/auth-registry.ts";
import { ChangeRecords } from "./change-records.ts";
import type { Crc32 } from "./crc32.ts";
import type { DataTree } from "./data-tree.ts";
import { EntryMemory, type Released } from "./entry-memory.ts";
import { WriteJudge, type WriteRules } from "./write-judge.ts";
import { isSingleWrite, readMultiOps, readWriteOp, type WriteOp, type WriteRequest } from "./write-request.ts";

export interface PrepareOptions {
  tree: DataTree;
  auth: AuthRegistry;
  rules: WriteRules;
  /** The zxid of the next transaction: one more than the last. */
  nextZxid: () => Zxid;
  /**
   * The text of the configuration that a reconfig leads to, whose version is `zxid`, or the ErrorCode with which it is
   * refused. Without this every reconfig is RECONFIGDISABLED.
   */
  reconfig?: ((request: WriteRequest, zxid: Zxid) => Uint8Array | number) | undefined;
  crc32?: Crc32 | undefined;
  /** Entries up to this zxid are looked at by nobody any more. Without this they are kept for as long as somebody does. */
  released?: Released | undefined;
}

export interface Prepared {
  readonly txn: Txn;
  /** The whole log entry. Not to be changed; `txn`'s data lies in it. Good until it is released. */
  readonly entry: Uint8Array;
  /** Why the request was refused: the error transaction's code, or that of the part of a multi that failed. */
  readonly err: number;
}

/** What an entry is longer than its request at most, not counting lists that grow: those make its memory grow. */
const MARGIN_BYTES = 64 + TXN_HEADER_BYTES + TXN_DIGEST_BYTES;

export class Prepare {
  readonly #tree: DataTree;
  readonly #auth: AuthRegistry;
  readonly #rules: WriteRules;
  readonly #nextZxid: () => Zxid;
  readonly #reconfig: PrepareOptions["reconfig"];
  readonly #records: ChangeRecords;
  readonly #judge: WriteJudge;
  readonly #memory: EntryMemory;
  #entryStart = 0;

  constructor(options: PrepareOptions) {
    const { tree, auth, rules } = options;
    this.#tree = tree;
    this.#auth = auth;
    this.#rules = rules;
    this.#nextZxid = options.nextZxid;
    this.#reconfig = options.reconfig;
    this.#memory = new EntryMemory(options.released);
    this.#records = new ChangeRecords({ tree, crc32: options.crc32 });
    this.#judge = new WriteJudge({ tree, records: this.#records, auth, rules });
  }

  /** Number of nodes with changes that are decided but not applied. */
  get outstandingChanges(): number {
    return this.#records.size;
  }

  /**
   * The request's transaction, or undefined if its record cannot be decoded: MARSHALLINGERROR, without a zxid.
   * @param timeMs milliseconds since 1970: the time of all that it creates or changes
   */
  prepare(request: WriteRequest, timeMs: number): Prepared | undefined {
    const { sessionId: clientId, cxid, type } = request;
    const requestBytes = request.reader.remaining;
    const op = isSingleWrite(type) ? decodable(request) : null;
    if (op === undefined || (type === OpCode.reconfig && !isReconfig(request.reader))) return undefined;
    const header: TxnHeader = { clientId, cxid, zxid: this.#nextZxid(), time: timeMs, type };
    this.#records.refresh();
    this.#begin(header, requestBytes);
    const body =
      op === null ? this.#decide(request, header) : this.#judge.perform(op, request, header, this.#memory.writer);
    return typeof body === "number" ? this.#refuse(header, body) : this.#finish(header, body, multiError(body));
  }

  /**
   * The error transaction of a request that cannot even be decoded but was forwarded by another server, which waits for
   * a transaction to answer it by.
   */
  refuse(request: WriteRequest, timeMs: number, err: number): Prepared {
    const { sessionId: clientId, cxid, type } = request;
    const header: TxnHeader = { clientId, cxid, zxid: this.#nextZxid(), time: timeMs, type };
    this.#records.refresh();
    this.#begin(header, 0);
    return this.#refuse(header, err);
  }

  /** To be called once a transaction is applied to the tree. */
  applied(zxid: Zxid): void {
    this.#records.applied(zxid);
  }

  #decide(request: WriteRequest, header: TxnHeader): TxnBody | number {
    try {
      switch (request.type) {
        case OpCode.multi:
          return this.#multi(readMultiOps(request.reader), request, header);
        case OpCode.createSession:
          return this.#write({ type: OpCode.createSession, timeOut: request.reader.int() });
        case OpCode.closeSession:
          return this.#closeSession(header);
        case OpCode.reconfig:
          return this.#decideReconfig(request, header);
      }
    } catch (error) {
      if (error instanceof ProtocolError) return ErrorCode.MARSHALLINGERROR;
      throw error;
    }
    throw new Error(`${opName(request.type)} came to be prepared but is no write: answer it before it gets here`);
  }

  /**
   * All or nothing: the parts see each other's changes, and the first that is refused takes all of them back. What is
   * nonsense in one part is nonsense as a whole.
   */
  #multi(ops: readonly WriteOp[], request: WriteRequest, header: TxnHeader): TxnBody | number {
    const writer = this.#memory.writer;
    const bodyStart = writer.length;
    const txns: TxnBody[] = [];
    this.#records.begin();
    writer.int(ops.length);
    for (const op of ops) {
      writer.int(op.type);
      const sizeAt = writer.reserve(4);
      writer.length += 4;
      const body = this.#judge.perform(op, request, header, writer);
      if (typeof body === "number") {
        this.#records.rollback(header.zxid);
        writer.length = bodyStart;
        if (body === ErrorCode.MARSHALLINGERROR) return body;
        return this.#write({ type: OpCode.multi, txns: failedParts(ops.length, txns.length, body) });
      }
      writer.view.setInt32(sizeAt, writer.length - sizeAt - 4);
      txns.push(body);
    }
    this.#records.commit();
    return { type: OpCode.multi, txns };
  }

  /** No check of the session: its expiry and its last request both end here, and a second one finds nothing to do. */
  #closeSession(header: TxnHeader): TxnBody {
    const paths2Delete = this.#records.ephemerals(header.clientId);
    for (const path of paths2Delete) {
      const node = this.#records.find(path);
      const parent = this.#records.parentOf(path);
      if (node !== undefined && parent !== undefined) this.#judge.removeNode(node, parent, header);
    }
    return this.#write({ type: OpCode.closeSession, paths2Delete });
  }

  #decideReconfig(request: WriteRequest, header: TxnHeader): TxnBody | number {
    if (this.#reconfig === undefined) return ErrorCode.RECONFIGDISABLED;
    const refused = this.#rules.checkSession(request, false);
    if (refused !== ErrorCode.OK) return refused;
    const config = this.#reconfig(request, header.zxid);
    if (typeof config === "number") return config;
    const node = this.#records.find(CONFIG_PATH);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#auth.checkACL(node.acl, Perms.WRITE, request.authInfo)) return ErrorCode.NOAUTH;
    return this.#judge.writeData(OpCode.reconfig, node, { data: config, version: -1 }, header, this.#memory.writer);
  }

  #begin(header: TxnHeader, requestBytes: number): void {
    this.#memory.reserve(requestBytes + MARGIN_BYTES, header.zxid);
    this.#entryStart = this.#memory.writer.length;
    TxnHeader.write(this.#memory.writer, header);
  }

  #write<B extends TxnBody>(body: B): B {
    writeTxnBody(this.#memory.writer, body);
    return body;
  }

  #refuse(header: TxnHeader, err: number): Prepared {
    const writer = this.#memory.writer;
    writer.length = this.#entryStart;
    header.type = OpCode.error;
    TxnHeader.write(writer, header);
    const body: TxnBody = { type: OpCode.error, err };
    writeTxnBody(writer, body);
    const entry = writer.bytes.subarray(this.#entryStart, writer.length);
    return { txn: { header, body, digest: null }, entry, err };
  }

  #finish(header: TxnHeader, body: TxnBody, err: number): Prepared {
    const writer = this.#memory.writer;
    let digest: TxnDigest | null = null;
    if (this.#tree.digestEnabled) {
      const { high, low } = this.#records.digest;
      digest = { version: DIGEST_VERSION, high: high | 0, low: low | 0 };
      TxnDigest.write(writer, digest);
    }
    const entry = writer.bytes.subarray(this.#entryStart, writer.length);
    return { txn: { header, body, digest }, entry, err };
  }
}

function decodable({ type, reader }: WriteRequest): WriteOp | undefined {
  try {
    return readWriteOp(type, reader);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Whether this is a record of that type; the reader stays where it is. */
function isReconfig(reader: Reader): boolean {
  const at = reader.offset;
  try {
    ReconfigRequest.read(reader);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  } finally {
    reader.offset = at;
  }
}

/** What a failed multi says: nothing wrong before the part that failed, nothing tried after it. */
function failedParts(count: number, failedAt: number, err: number): TxnBody[] {
  return Array.from({ length: count }, (_, i): TxnBody => {
    if (i === failedAt) return { type: OpCode.error, err };
    return { type: OpCode.error, err: i < failedAt ? ErrorCode.OK : ErrorCode.RUNTIMEINCONSISTENCY };
  });
}

function multiError(body: TxnBody): number {
  if (body.type !== OpCode.multi) return ErrorCode.OK;
  for (const part of body.txns) if (part.type === OpCode.error && part.err !== ErrorCode.OK) return part.err;
  return ErrorCode.OK;
}
