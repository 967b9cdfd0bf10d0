/**
 * multi and multiRead as builders: the type of the result follows the operations, one entry each.
 *
 *   const [created, stat] = await zk.multi().create("/a", "x").setData("/b", "y").commit();
 */
import {
  type ACL,
  CreateMode,
  ErrorCode,
  isSequential,
  isTtl,
  type MultiOp,
  type MultiResult,
  OpCode,
  type Stat,
} from "@vivarium/protocol";
import { createProblem, encoded, type MaybeCodec, versionProblem } from "./arguments.ts";
import type { CodecError, DataCodec } from "./codec.ts";
import type { CallOptions } from "./core.ts";
import { type RequestError, requestError } from "./errors.ts";
import { type CreateResult, type GetDataResult, withoutChroot } from "./operations.ts";
import type { Data } from "./request.ts";

export interface MultiCreateOptions {
  mode?: CreateMode;
  acl?: ACL[];
  ttlMs?: number;
}

/** What a builder needs of the view that made it. */
export interface TransactionHost {
  readonly chroot: string;
  readonly defaultAcl: ACL[];
  /** The server's path, or an error that says what is wrong with it. */
  resolve(op: string, path: string, sequential: boolean): string;
  send(writes: boolean, ops: MultiOp[], options: CallOptions | undefined): Promise<MultiResult[]>;
}

/** Writes that all happen, or none. */
export class Transaction<Results extends readonly unknown[] = []> {
  readonly #host: TransactionHost;
  readonly #ops: MultiOp[] = [];
  #committed = false;

  constructor(host: TransactionHost) {
    this.#host = host;
  }

  /** Number of operations so far. */
  get size(): number {
    return this.#ops.length;
  }

  create(path: string, data?: Data, options?: MultiCreateOptions): Transaction<[...Results, CreateResult]>;
  create<T>(
    path: string,
    data: T,
    options: MultiCreateOptions & { codec: DataCodec<T> },
  ): Transaction<[...Results, CreateResult]>;
  create(path: string, data: unknown = null, options: MultiCreateOptions & MaybeCodec = {}): unknown {
    const { mode = CreateMode.PERSISTENT, acl = this.#host.defaultAcl, ttlMs, codec } = options;
    const full = this.#host.resolve("create", path, isSequential(mode));
    refuseIf("create", path, createProblem({ mode, acl, ttlMs }));
    const common = { path: full, data: bytesOf(encoded("create", path, data, codec)), acl, flags: mode };
    if (isTtl(mode)) this.#ops.push({ type: OpCode.createTTL, ...common, ttl: BigInt(ttlMs ?? 0) });
    else this.#ops.push({ type: mode === CreateMode.CONTAINER ? OpCode.createContainer : OpCode.create2, ...common });
    return this;
  }

  delete(path: string, { version = -1 }: { version?: number } = {}): Transaction<[...Results, undefined]> {
    const full = this.#host.resolve("delete", path, false);
    refuseIf("delete", path, versionProblem(version));
    this.#ops.push({ type: OpCode.delete, path: full, version });
    return this as unknown as Transaction<[...Results, undefined]>;
  }

  setData(path: string, data: Data, options?: { version?: number }): Transaction<[...Results, Stat]>;
  setData<T>(
    path: string,
    data: T,
    options: { version?: number; codec: DataCodec<T> },
  ): Transaction<[...Results, Stat]>;
  setData(path: string, data: unknown, options: { version?: number } & MaybeCodec = {}): unknown {
    const { version = -1, codec } = options;
    const full = this.#host.resolve("setData", path, false);
    refuseIf("setData", path, versionProblem(version));
    this.#ops.push({ type: OpCode.setData, path: full, data: bytesOf(encoded("setData", path, data, codec)), version });
    return this;
  }

  /** Fails the whole when the node is missing or has another version. */
  check(path: string, { version = -1 }: { version?: number } = {}): Transaction<[...Results, undefined]> {
    const full = this.#host.resolve("check", path, false);
    refuseIf("check", path, versionProblem(version));
    this.#ops.push({ type: OpCode.check, path: full, version });
    return this as unknown as Transaction<[...Results, undefined]>;
  }

  /**
   * Sends it; only once.
   * @throws the error of the operation at fault, with its `path` and its `index`.
   */
  async commit(options?: CallOptions): Promise<Results> {
    if (this.#committed) {
      throw requestError(ErrorCode.BADARGUMENTS, { op: "multi", detail: "it was sent already; build a new one" });
    }
    this.#committed = true;
    const results = await this.#host.send(true, this.#ops, options);
    const failed = results.findIndex((result) => isFault(result));
    if (failed !== -1) throw faultOf(results[failed] as MultiResult, this.#ops[failed] as MultiOp, failed, this.#host);
    return results.map((result) => outcomeOf(result, this.#host)) as unknown as Results;
  }
}

/** One answer of a multiRead: each read succeeds or fails on its own. */
export type ReadResult<T> =
  | { status: "fulfilled"; value: T }
  | { status: "rejected"; reason: RequestError | CodecError };

/** Reads that are answered together, from one state of one server. They set no watches. */
export class ReadTransaction<Results extends readonly unknown[] = []> {
  readonly #host: TransactionHost;
  readonly #ops: MultiOp[] = [];
  /** By the index of their operation. */
  readonly #codecs = new Map<number, DataCodec<unknown>>();

  constructor(host: TransactionHost) {
    this.#host = host;
  }

  getData(path: string): ReadTransaction<[...Results, ReadResult<GetDataResult>]>;
  getData<T>(
    path: string,
    options: { codec: DataCodec<T> },
  ): ReadTransaction<[...Results, ReadResult<{ data: T; stat: Stat }>]>;
  getData(path: string, { codec }: MaybeCodec = {}): unknown {
    if (codec !== undefined) this.#codecs.set(this.#ops.length, codec);
    this.#ops.push({ type: OpCode.getData, path: this.#host.resolve("getData", path, false), watch: false });
    return this;
  }

  getChildren(path: string): ReadTransaction<[...Results, ReadResult<string[]>]> {
    this.#ops.push({ type: OpCode.getChildren, path: this.#host.resolve("getChildren", path, false), watch: false });
    return this as unknown as ReadTransaction<[...Results, ReadResult<string[]>]>;
  }

  async commit(options?: CallOptions): Promise<Results> {
    const results = await this.#host.send(false, this.#ops, options);
    return Promise.allSettled(
      results.map((result, index) => this.#read(result, index)),
    ) as Promise<unknown> as Promise<Results>;
  }

  async #read(result: MultiResult, index: number): Promise<unknown> {
    const op = this.#ops[index] as MultiOp;
    if (result.type === OpCode.error) throw faultOf(result, op, index, this.#host);
    const value = outcomeOf(result, this.#host);
    const codec = this.#codecs.get(index);
    if (codec === undefined) return value;
    const { data, stat } = value as GetDataResult;
    return { data: await codec.decode(data, withoutChroot(op.path, this.#host.chroot.length)), stat };
  }
}

function refuseIf(op: string, path: string, problem: string | undefined): void {
  if (problem !== undefined) throw requestError(ErrorCode.BADARGUMENTS, { op, path, detail: problem });
}

/** Operations before the one at fault carry OK, those after it RUNTIMEINCONSISTENCY. */
function isFault(result: MultiResult): boolean {
  return result.type === OpCode.error && result.err !== ErrorCode.OK && result.err !== ErrorCode.RUNTIMEINCONSISTENCY;
}

const OP_NAMES: Record<number, string> = {
  [OpCode.create2]: "create",
  [OpCode.createContainer]: "create",
  [OpCode.createTTL]: "create",
  [OpCode.delete]: "delete",
  [OpCode.setData]: "setData",
  [OpCode.check]: "check",
  [OpCode.getData]: "getData",
  [OpCode.getChildren]: "getChildren",
};

function faultOf(result: MultiResult, op: MultiOp, index: number, host: TransactionHost): RequestError {
  const code = result.type === OpCode.error ? result.err : ErrorCode.SYSTEMERROR;
  const path = withoutChroot(op.path, host.chroot.length);
  return requestError(code, { op: OP_NAMES[op.type] ?? "multi", path, index, detail: `operation ${index} of a multi` });
}

function outcomeOf(result: MultiResult, host: TransactionHost): unknown {
  switch (result.type) {
    case OpCode.create2:
      return { path: withoutChroot(result.path, host.chroot.length), stat: result.stat };
    case OpCode.create:
      return { path: withoutChroot(result.path, host.chroot.length) };
    case OpCode.setData:
      return result.stat;
    case OpCode.getData:
      return {
        data: result.data === null ? null : Buffer.from(result.data.buffer, result.data.byteOffset, result.data.length),
        stat: result.stat,
      };
    case OpCode.getChildren:
      return result.children;
    default:
      return undefined;
  }
}

function bytesOf(data: Data): Uint8Array | null {
  return typeof data === "string" ? Buffer.from(data) : data;
}
