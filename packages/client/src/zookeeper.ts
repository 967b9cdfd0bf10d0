/**
 * The client that people hold: every operation of ZooKeeper 3.9.5 as a method that returns a promise. Calls take effect
 * in the order in which they are made, whether or not they are awaited.
 *
 * An instance is a view: `chroot` makes another one on the same session.
 */
import {
  type ACL,
  type ClientInfo,
  CONFIG_PATH,
  CreateMode,
  ErrorCode,
  isSequential,
  type MultiOp,
  type MultiResult,
  OPEN_ACL_UNSAFE,
  type Stat,
  WatcherType,
} from "@vivarium/protocol";
import {
  aclProblem,
  createProblem,
  encoded,
  giveData,
  giveVersion,
  identityProblem,
  limitsProblem,
  listenerProblem,
  type MaybeCodec,
  problemOf,
  refuse,
} from "./arguments.ts";
import type {
  AddWatchOptions,
  CreateOptions,
  DeleteOptions,
  ReadOptions,
  ReconfigOptions,
  SetDataOptions,
  VersionOptions,
} from "./call-options.ts";
import type { DataCodec } from "./codec.ts";
import { chrootOf, parseConnectString, parseHosts } from "./connect-string.ts";
import { type CallOptions, Core } from "./core.ts";
import type { Counters } from "./counters.ts";
import { requestError } from "./errors.ts";
import { deleteSubtree, type EnsurePathOptions, ensurePath, listSubtree } from "./helpers.ts";
import {
  type CreateDetail,
  type CreateResult,
  createOperationOf,
  type GetAclResult,
  type GetChildrenResult,
  type GetDataResult,
  type Operation,
  operations,
  type ReconfigDetail,
} from "./operations.ts";
import { type ClientOptions, settingsOf } from "./options.ts";
import { setWatch } from "./persistent-watches.ts";
import { type Data, Request } from "./request.ts";
import {
  guaranteedDelete,
  idempotentCreate,
  idempotentDelete,
  idempotentSetData,
  protectedCreate,
  type WriteTarget,
} from "./safe-writes.ts";
import type { SessionEvent, SessionInfo, SessionState } from "./session-event.ts";
import { sessionEvents } from "./session-stream.ts";
import { ReadTransaction, Transaction, type TransactionHost } from "./transaction.ts";
import { OneShotWatch, type Watch } from "./watch.ts";
import type { WatchListener } from "./watch-event.ts";

export class ZooKeeper implements AsyncDisposable {
  readonly #core: Core;
  /** "" or a path. */
  readonly #chroot: string;
  readonly #oneShots = new WeakMap<WatchListener, OneShotWatch>();

  /**
   * Starts to connect and returns at once; calls wait for the session. `connect` is the same and waits.
   * @param connectString "host:port,host:port/chroot" or "dns-srv://name/chroot"
   * @throws ClientOptionError
   */
  constructor(connectString: string, options?: ClientOptions);
  /** @internal */
  constructor(core: Core, chroot: string);
  constructor(target: string | Core, more?: ClientOptions | string) {
    if (target instanceof Core) {
      this.#core = target;
      this.#chroot = more as string;
      return;
    }
    const settings = settingsOf((more ?? {}) as ClientOptions);
    const parsed = parseConnectString(target);
    this.#chroot = parsed.chroot + chrootOf(settings.chroot);
    this.#core = new Core(parsed, settings);
  }

  // --- nodes

  /**
   * Makes a node; its parent must exist.
   * @throws NodeExistsError, NoNodeError (of the parent), NoChildrenForEphemeralsError, NoAuthError, InvalidAclError,
   *   QuotaExceededError
   */
  create(path: string, data?: Data, options?: CreateOptions): Promise<CreateResult>;
  create<T>(path: string, data: T, options: CreateOptions & { codec: DataCodec<T> }): Promise<CreateResult>;
  create(path: string, data: unknown = null, options: CreateOptions & MaybeCodec = {}): Promise<CreateResult> {
    if (options.protected === true || options.idempotent === true) return this.#createSafely(path, data, options);
    const mode = options.mode ?? CreateMode.PERSISTENT;
    const request = this.#request(createOperationOf(mode), path, isSequential(mode));
    const { acl = this.#defaultAcl, ttlMs } = options;
    const problem = createProblem({ mode, acl, ttlMs });
    if (problem !== undefined) refuse(request, problem);
    request.number = mode;
    request.detail = { acl, ttlMs: ttlMs ?? 0 } satisfies CreateDetail;
    giveData(request, data, options.codec);
    return this.#core.submit(request, options) as Promise<CreateResult>;
  }

  async #createSafely(path: string, data: unknown, options: CreateOptions & MaybeCodec): Promise<CreateResult> {
    const sequential = isSequential(options.mode ?? CreateMode.PERSISTENT);
    const problem =
      problemOf(path, sequential) ??
      (sequential && options.protected !== true ? "a sequential create is not idempotent; use `protected`" : undefined);
    if (problem !== undefined) throw requestError(ErrorCode.BADARGUMENTS, { op: "create", path, detail: problem });
    const { protected: isProtected = false, idempotent: _, codec, ...others } = options;
    const create = isProtected ? protectedCreate : idempotentCreate;
    return create(this.#safeTarget(), path, encoded("create", path, data, codec), {
      ...others,
      ...this.#deadline(options),
    });
  }

  /** What safe writes build on: this view's plain operations. */
  #safeTarget(): WriteTarget<CreateOptions> {
    return {
      create: (path, data, options) => this.create(path, data, options),
      setData: (path, data, options) => this.setData(path, data, options),
      delete: (path, options) => this.delete(path, options),
      getData: (path, options) => this.getData(path, options),
      getChildren: (path, options) => this.getChildren(path, options),
      exists: (path, options) => this.exists(path, options),
      sessionId: () => this.#core.machine.session.id,
      guid: () => guidOf(this.#core.settings.random.bytes(16)),
      nowMs: () => this.#core.driver.nowMs,
    };
  }

  #deadline(options: CallOptions): { timeoutMs: number } {
    return { timeoutMs: options.timeoutMs ?? this.#core.settings.requestTimeoutMs };
  }

  /** @throws NoNodeError, BadVersionError, NotEmptyError, NoAuthError */
  delete(path: string, options?: DeleteOptions): Promise<void> {
    if (options?.guaranteed === true || options?.idempotent === true) {
      const { guaranteed = false, idempotent: _, ...others } = options;
      const remove = guaranteed ? guaranteedDelete : idempotentDelete;
      return remove(this.#safeTarget(), path, { ...others, ...this.#deadline(options) });
    }
    const request = this.#request(operations.delete, path);
    giveVersion(request, options?.version);
    return this.#core.submit(request, options) as Promise<void>;
  }

  /** The node's Stat, or null when it does not exist. */
  exists(path: string, options?: ReadOptions): Promise<Stat | null> {
    return this.#read(operations.exists, path, options) as Promise<Stat | null>;
  }

  /** @throws NoNodeError, NoAuthError */
  getData(path: string, options?: ReadOptions): Promise<GetDataResult>;
  getData<T>(path: string, options: ReadOptions & { codec: DataCodec<T> }): Promise<{ data: T; stat: Stat }>;
  getData(path: string, options?: ReadOptions & MaybeCodec): Promise<unknown> {
    const reply = this.#read(operations.getData, path, options) as Promise<GetDataResult>;
    const codec = options?.codec;
    if (codec === undefined) return reply;
    return reply.then(async ({ data, stat }) => ({ data: await codec.decode(data, path), stat }));
  }

  /** @throws NoNodeError, BadVersionError, NoAuthError, QuotaExceededError */
  setData(path: string, data: Data, options?: SetDataOptions): Promise<Stat>;
  setData<T>(path: string, data: T, options: SetDataOptions & { codec: DataCodec<T> }): Promise<Stat>;
  setData(path: string, data: unknown, options?: SetDataOptions & MaybeCodec): Promise<Stat> {
    if (options?.idempotent === true) return this.#setDataSafely(path, data, options);
    const request = this.#request(operations.setData, path);
    giveVersion(request, options?.version);
    giveData(request, data, options?.codec);
    return this.#core.submit(request, options) as Promise<Stat>;
  }

  async #setDataSafely(path: string, data: unknown, options: SetDataOptions & MaybeCodec): Promise<Stat> {
    const { idempotent: _, codec, ...others } = options;
    const limits = { ...others, ...this.#deadline(options) };
    return idempotentSetData(this.#safeTarget(), path, encoded("setData", path, data, codec), limits);
  }

  /** Names, not paths; in no particular order. @throws NoNodeError, NoAuthError */
  getChildren(path: string, options?: ReadOptions): Promise<GetChildrenResult> {
    return this.#read(operations.getChildren, path, options) as Promise<GetChildrenResult>;
  }

  /** How many nodes there are below this one. */
  getAllChildrenNumber(path: string, options?: CallOptions): Promise<number> {
    return this.#core.submit(this.#request(operations.getAllChildrenNumber, path), options) as Promise<number>;
  }

  /** Paths of this session's ephemeral nodes that begin with `prefix`. */
  getEphemerals(prefix = "/", options?: CallOptions): Promise<string[]> {
    return this.#core.submit(this.#request(operations.getEphemerals, prefix), options) as Promise<string[]>;
  }

  getACL(path: string, options?: CallOptions): Promise<GetAclResult> {
    return this.#core.submit(this.#request(operations.getACL, path), options) as Promise<GetAclResult>;
  }

  /** `version` is compared with the node's `aversion`. */
  setACL(path: string, acl: ACL[], options?: VersionOptions): Promise<Stat> {
    const request = this.#request(operations.setACL, path);
    const problem = aclProblem(acl);
    if (problem !== undefined) refuse(request, problem);
    request.detail = acl;
    giveVersion(request, options?.version);
    return this.#core.submit(request, options) as Promise<Stat>;
  }

  /** Waits until the server in use has applied all that its leader had committed: reads after it are not older. */
  sync(path = "/", options?: CallOptions): Promise<void> {
    return this.#core.submit(this.#request(operations.sync, path), options) as Promise<void>;
  }

  // --- subtrees

  /** Makes the node at `path` and all that is missing above it. */
  ensurePath(path: string, options?: EnsurePathOptions): Promise<void> {
    return ensurePath(this.#safeTarget(), path, options);
  }

  /** All paths from `path` down, each after its parent. The deadline is that of the whole. */
  listSubtree(path: string, options?: CallOptions): Promise<string[]> {
    return listSubtree(this.#safeTarget(), path, options);
  }

  /** Deletes the node at `path` and all below it; nothing there is no error. The deadline is that of the whole. */
  deleteSubtree(path: string, options?: CallOptions): Promise<void> {
    return deleteSubtree(this.#safeTarget(), path, options);
  }

  // --- several at once

  /** Writes that all happen or none; see Transaction. */
  multi(): Transaction {
    return new Transaction(this.#transactionHost());
  }

  /** Reads of one moment; see ReadTransaction. */
  multiRead(): ReadTransaction {
    return new ReadTransaction(this.#transactionHost());
  }

  #transactionHost(): TransactionHost {
    return {
      chroot: this.#chroot,
      defaultAcl: this.#defaultAcl,
      resolve: (op, path, sequential) => {
        const problem = problemOf(path, sequential);
        if (problem !== undefined) throw requestError(ErrorCode.BADARGUMENTS, { op, path, detail: problem });
        return this.#full(path);
      },
      send: (writes: boolean, ops: MultiOp[], options) => {
        const request = new Request(writes ? operations.multi : operations.multiRead, "", 0);
        request.detail = ops;
        return this.#core.submit(request, options) as Promise<MultiResult[]>;
      },
    };
  }

  // --- watches

  /**
   * Sets a persistent watch: an async iterable of events that stays until it is closed, its loop is left, or `signal`
   * fires. After a reconnect it tells what it missed, or says `gap`.
   */
  addWatch(path: string, options: AddWatchOptions = {}): Promise<Watch> {
    const request = this.#request(operations.addWatch, path);
    const problem = listenerProblem(options.listener);
    if (problem !== undefined) refuse(request, problem);
    return setWatch(this.#core, request, options);
  }

  /**
   * Removes watches of this session from one path: the listeners of `watch` options, and with "any" persistent ones too.
   * @throws NoWatcherError
   */
  async removeWatches(path: string, kind: "data" | "children" | "any" = "any", options?: CallOptions): Promise<void> {
    const request = this.#request(operations.removeWatches, path);
    const type = { data: WatcherType.Data, children: WatcherType.Children, any: WatcherType.Any }[kind];
    if (type === undefined) refuse(request, `kind is ${kind}; it must be "data", "children" or "any"`);
    request.number = type;
    await this.#core.submit(request, options);
    this.#core.machine.exchange.watches.removeAll(request.path, kind);
  }

  // --- the ensemble and who we are

  /** Proves an identity, on this connection and on each that follows. @throws AuthFailedError, which ends the session. */
  async addAuth(scheme: string, auth: string | Uint8Array, options: CallOptions = {}): Promise<void> {
    const problem = identityProblem({ scheme, auth }) ?? limitsProblem(options);
    if (problem !== undefined) throw requestError(ErrorCode.BADARGUMENTS, { op: "addAuth", detail: problem });
    await this.#core.addAuth(scheme, Buffer.from(auth as string), options);
  }

  whoAmI(options?: CallOptions): Promise<ClientInfo[]> {
    return this.#core.submit(new Request(operations.whoAmI, "", 0), options) as Promise<ClientInfo[]>;
  }

  /** The ensemble's membership as text, from /zookeeper/config. */
  async getConfig(options?: ReadOptions): Promise<{ config: string; stat: Stat }> {
    const request = new Request(operations.getData, CONFIG_PATH, 0);
    this.#giveWatch(request, options?.watch);
    const { data, stat } = (await this.#core.submit(request, options)) as GetDataResult;
    return { config: data?.toString("utf8") ?? "", stat };
  }

  /** Changes the ensemble's membership. @throws ReconfigDisabledError, NewConfigNoQuorumError, BadVersionError, ... */
  async reconfig(options: ReconfigOptions): Promise<{ config: string; stat: Stat }> {
    const { joining = "", leaving = "", newMembers = "", fromConfig = -1 } = options;
    const request = new Request(operations.reconfig, CONFIG_PATH, 0);
    if ([joining, leaving, newMembers].some((part) => typeof part !== "string") || !Number.isSafeInteger(fromConfig)) {
      refuse(request, "joining, leaving and newMembers must be strings, fromConfig a number");
    }
    request.detail = { joining, leaving, newMembers, fromConfig } satisfies ReconfigDetail;
    const { data, stat } = (await this.#core.submit(request, options)) as GetDataResult;
    return { config: data?.toString("utf8") ?? "", stat };
  }

  /** Replaces the list of servers; moves to another one if that evens out their load. "host:port,host:port" */
  updateServerList(servers: string): void {
    this.#core.useServers(parseHosts(servers));
  }

  // --- the session

  /** Always current, also right after the event loop was blocked. */
  get state(): SessionState {
    this.#core.driver.look();
    return this.#core.machine.state;
  }

  /** Id, password and last zxid: enough to resume the session elsewhere. The password is a secret. */
  get session(): SessionInfo {
    return this.#core.machine.session;
  }

  /** Granted by the server; 0 before. */
  get sessionTimeoutMs(): number {
    return this.#core.machine.timeoutMs;
  }

  /** Host and port of the server in use, or tried last. */
  get server(): string {
    return this.#core.machine.server;
  }

  /**
   * Milliseconds for which no server can have expired the session, by this process's own clock: negative when it may be
   * gone. Always current, also after the event loop was blocked.
   */
  get sessionRemainingMs(): number {
    return this.#core.machine.safeUntilMs - this.#core.driver.nowMs;
  }

  /** Resolves when no call waits for its turn: what a producer awaits so as not to run ahead of the server. */
  drained(): Promise<void> {
    return this.#core.machine.exchange.queue.drained();
  }

  get counters(): Readonly<Counters> {
    return this.#core.machine.exchange.counters;
  }

  /** Calls `listener` with each session event, at once when it happens. Returns the way to stop. */
  onSessionEvent(listener: (event: SessionEvent) => void): () => void {
    return this.#core.onSessionEvent(listener);
  }

  /** Session events from now on, until the session ends, the loop is left or `signal` fires. */
  sessionEvents(options: { signal?: AbortSignal } = {}): AsyncGenerator<SessionEvent, void, undefined> {
    return sessionEvents(this.#core, options.signal);
  }

  /** Waits for the session; see `connect`. */
  async connected({ signal }: { signal?: AbortSignal } = {}): Promise<this> {
    await this.#core.connected(signal);
    return this;
  }

  /** The path that this view puts before all others; "/" for none. */
  get chrootPath(): string {
    return this.#chroot === "" ? "/" : this.#chroot;
  }

  /** A view of the subtree at `path`, on the same session. The node is not made by this. */
  chroot(path: string): ZooKeeper {
    return new ZooKeeper(this.#core, this.#chroot + chrootOf(path));
  }

  /** Ends the session, for all views of it, once the calls made before are answered. */
  close(): Promise<void> {
    return this.#core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // --- requests

  get #defaultAcl(): ACL[] {
    return this.#core.settings.defaultAcl ?? OPEN_ACL_UNSAFE;
  }

  #full(path: string): string {
    if (this.#chroot === "") return path;
    return path === "/" ? this.#chroot : this.#chroot + path;
  }

  /** A request for a path that was checked; with a bad one it has failed already. */
  #request(operation: Operation, path: string, sequential = false): Request {
    const problem = problemOf(path, sequential);
    if (problem === undefined) return new Request(operation, this.#full(path), this.#chroot.length);
    const request = new Request(operation, String(path), 0);
    refuse(request, problem);
    return request;
  }

  #read(operation: Operation, path: string, options: ReadOptions | undefined): Promise<unknown> {
    const request = this.#request(operation, path);
    if (options !== undefined) this.#giveWatch(request, options.watch);
    return this.#core.submit(request, options);
  }

  #giveWatch(request: Request, listener: WatchListener | undefined): void {
    if (listener === undefined) return;
    const problem = listenerProblem(listener);
    if (problem !== undefined) {
      refuse(request, problem);
      return;
    }
    let watcher = this.#oneShots.get(listener);
    if (watcher === undefined) {
      watcher = new OneShotWatch(listener, this.#chroot.length);
      this.#oneShots.set(listener, watcher);
    }
    request.watch = true;
    request.watcher = watcher;
  }
}

/** 32 digits in groups, as other clients write them. */
function guidOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Connects and waits for a session. @throws ConnectionLossError saying, per server, why there is none. */
export function connect(
  connectString: string,
  options: ClientOptions & { signal?: AbortSignal } = {},
): Promise<ZooKeeper> {
  const { signal, ...others } = options;
  const zk = new ZooKeeper(connectString, others);
  return zk.connected(signal === undefined ? {} : { signal });
}
