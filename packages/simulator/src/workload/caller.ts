/**
 * One session of the real client, with a record of every call. No call throws for what ZooKeeper may answer or for a lost
 * connection: the returned record says what became of it.
 */
import {
  ConnectionLossError,
  CreateMode,
  type CreateResult,
  type GetChildrenResult,
  type GetDataResult,
  QueueFullError,
  RequestError,
  RequestTimeoutError,
  SessionExpiredError,
  type Stat,
  type Transaction,
  type WatchListener,
  type ZooKeeper,
} from "@vivarium/client";
import { errorName, zxidHex } from "@vivarium/protocol";
import type { World } from "../world/world.ts";
import type { History, Operation, Part, Request, SessionRecord, SubtreeWatch, WatchRecord } from "./history.ts";

const PLAIN: Request = {
  kind: "sync",
  path: "/",
  data: "",
  version: -1,
  sequential: false,
  ephemeral: false,
  parts: [],
  paths: [],
  watch: null,
};

export interface CallerOptions {
  world: World;
  history: History;
  session: SessionRecord;
  zk: ZooKeeper;
}

export class Caller {
  readonly zk: ZooKeeper;
  readonly session: SessionRecord;
  readonly #world: World;
  readonly #history: History;
  /** Called at each watch event. */
  onWatch: () => void = () => {};

  constructor({ world, history, session, zk }: CallerOptions) {
    this.#world = world;
    this.#history = history;
    this.session = session;
    this.zk = zk;
  }

  // --- writes

  create(path: string, options: { value?: string; mode?: CreateMode } = {}): Promise<Operation> {
    const { value = "", mode = CreateMode.PERSISTENT } = options;
    const data = this.#unique(value);
    const sequential = mode === CreateMode.EPHEMERAL_SEQUENTIAL || mode === CreateMode.PERSISTENT_SEQUENTIAL;
    const ephemeral = mode === CreateMode.EPHEMERAL || mode === CreateMode.EPHEMERAL_SEQUENTIAL;
    return this.#call(
      { ...PLAIN, kind: "create", path, data, sequential, ephemeral },
      () => this.zk.create(path, data, { mode }),
      (operation, result: CreateResult) => {
        operation.createdPath = result.path;
        operation.stat = result.stat;
      },
    );
  }

  setData(path: string, options: { value?: string; version?: number } = {}): Promise<Operation> {
    const { value = "", version = -1 } = options;
    const data = this.#unique(value);
    return this.#call(
      { ...PLAIN, kind: "setData", path, data, version },
      () => this.zk.setData(path, data, { version }),
      takeStat,
    );
  }

  delete(path: string, { version = -1 }: { version?: number } = {}): Promise<Operation> {
    return this.#call(
      { ...PLAIN, kind: "delete", path, version },
      () => this.zk.delete(path, { version }),
      () => {},
    );
  }

  /** `data` of the parts is what comes before the unique end. */
  multi(given: readonly Part[]): Promise<Operation> {
    const parts = given.map((part) => ({ ...part, data: part.kind === "check" ? "" : this.#unique(part.data) }));
    const send = (): Promise<unknown> => {
      let transaction = this.zk.multi() as Transaction<readonly unknown[]>;
      for (const part of parts) transaction = addPart(transaction, part);
      return transaction.commit();
    };
    return this.#call(
      { ...PLAIN, kind: "multi", path: parts.map((part) => part.path).join(" "), parts },
      send,
      () => {},
    );
  }

  // --- reads

  getData(path: string, { watch = false }: { watch?: boolean } = {}): Promise<Operation> {
    const { record, listener } = this.#watch(watch, "data", path);
    return this.#call(
      { ...PLAIN, kind: "getData", path, watch: record },
      () => this.zk.getData(path, { ...listener }),
      (operation, { data, stat }: GetDataResult) => {
        operation.found = data?.toString("latin1") ?? "";
        operation.stat = stat;
      },
    );
  }

  exists(path: string, { watch = false }: { watch?: boolean } = {}): Promise<Operation> {
    const { record, listener } = this.#watch(watch, "exist", path);
    return this.#call(
      { ...PLAIN, kind: "exists", path, watch: record },
      () => this.zk.exists(path, { ...listener }),
      takeStat,
    );
  }

  getChildren(path: string, { watch = false }: { watch?: boolean } = {}): Promise<Operation> {
    const { record, listener } = this.#watch(watch, "child", path);
    return this.#call(
      { ...PLAIN, kind: "getChildren", path, watch: record },
      () => this.zk.getChildren(path, { ...listener }),
      (operation, { children, stat }: GetChildrenResult) => {
        operation.children = [...children].sort();
        operation.stat = stat;
      },
    );
  }

  /** All of one moment. */
  multiRead(paths: readonly string[]): Promise<Operation> {
    const send = () => {
      const transaction = this.zk.multiRead();
      for (const path of paths) transaction.getData(path);
      return transaction.commit() as Promise<unknown>;
    };
    return this.#call(
      { ...PLAIN, kind: "multiRead", path: paths.join(" "), paths },
      send,
      (operation, results: Read[]) => {
        operation.reads = results.map((read) =>
          read.status === "rejected"
            ? null
            : { data: read.value.data?.toString("latin1") ?? "", stat: read.value.stat },
        );
      },
    );
  }

  sync(): Promise<Operation> {
    return this.#call(
      PLAIN,
      () => this.zk.sync("/"),
      () => {},
    );
  }

  /** Sets a persistent recursive watch; null when that failed. */
  async watchSubtree(path: string): Promise<{ close(): Promise<void> } | null> {
    const { session, zk } = this;
    const history = this.#history;
    const record: SubtreeWatch = {
      path,
      askedAt: zk.session.lastZxid ?? 0,
      setAt: 0,
      connection: session.connections,
      closedOrder: 0,
      events: [],
    };
    const stop = (): void => {
      if (record.closedOrder === 0) record.closedOrder = history.nextOrder();
    };
    const listener: WatchListener = (event) => {
      this.#world.trace.add(session.name, "watch", `subtree ${event.type} ${event.path}`);
      if (event.type === "gap" || event.type === "lost" || session.connections !== record.connection) return stop();
      const { type, zxid } = event;
      if (record.closedOrder === 0) record.events.push({ type, path: event.path, zxid, order: history.nextOrder() });
    };
    try {
      const watch = await zk.addWatch(path, { recursive: true, listener });
      if (session.connections !== record.connection) return watch;
      record.setAt = zk.session.lastZxid ?? 0;
      session.subtreeWatches.push(record);
      return {
        close: () => {
          stop();
          return watch.close();
        },
      };
    } catch (error) {
      if (error instanceof RequestError) return null;
      throw error;
    }
  }

  // --- the record

  #unique(value: string): string {
    return `${value}|${this.session.name}#${this.#history.operations.length}`;
  }

  #watch(
    wanted: boolean,
    kind: WatchRecord["kind"],
    path: string,
  ): { record: WatchRecord | null; listener: { watch?: WatchListener } } {
    if (!wanted) return { record: null, listener: {} };
    const { session } = this;
    const record: WatchRecord = { kind, path, connection: session.connections, event: null, extra: 0 };
    const watch: WatchListener = ({ type, zxid }) => {
      this.#world.trace.add(session.name, "watch", `${type} ${path}${zxid === null ? "" : ` 0x${zxidHex(zxid)}`}`);
      if (record.event !== null) record.extra++;
      record.event ??= { type, zxid, order: this.#history.nextOrder(), connection: session.connections };
      this.onWatch();
    };
    return { record, listener: { watch } };
  }

  async #call<T>(
    request: Request,
    send: () => Promise<unknown>,
    take: (operation: Operation, result: T) => void,
  ): Promise<Operation> {
    const operation = this.#begin(request);
    try {
      take(operation, (await send()) as T);
      operation.outcome = "ok";
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      operation.code = error.code;
      operation.outcome = outcomeOf(error);
    }
    this.#end(operation);
    return operation;
  }

  #begin(request: Request): Operation {
    const { session } = this;
    const history = this.#history;
    const { kind, path, version } = request;
    const operation: Operation = {
      ...request,
      index: history.operations.length,
      session,
      invokedMs: this.#world.loop.nowMs,
      toldBefore: history.told,
      outcome: "pending",
      code: 0,
      returnedMs: 0,
      order: 0,
      connection: 0,
      seen: 0,
      stat: null,
      found: "",
      children: [],
      createdPath: "",
      reads: [],
    };
    history.operations.push(operation);
    session.operations.push(operation);
    const more = `${version === -1 ? "" : ` version ${version}`}${request.watch === null ? "" : " watch"}`;
    this.#world.trace.add(session.name, "call", `#${operation.index} ${kind} ${path}${more}`);
    return operation;
  }

  #end(operation: Operation): void {
    const { trace, loop } = this.#world;
    operation.returnedMs = loop.nowMs;
    operation.order = this.#history.nextOrder();
    operation.connection = this.session.connections;
    operation.seen = this.zk.session.lastZxid ?? 0;
    if (operation.outcome !== "unknown" && operation.outcome !== "unsent") {
      this.#history.told = Math.max(this.#history.told, operation.seen);
    }
    trace.add(this.session.name, "reply", `#${operation.index} ${outcomeText(operation)}`);
  }
}

type Read = { status: "fulfilled"; value: GetDataResult } | { status: "rejected" };

function takeStat(operation: Operation, stat: Stat | null): void {
  operation.stat = stat;
}

function addPart(transaction: Transaction<readonly unknown[]>, part: Part): Transaction<readonly unknown[]> {
  const { path, data, version } = part;
  switch (part.kind) {
    case "create":
      return transaction.create(path, data);
    case "setData":
      return transaction.setData(path, data, { version });
    case "delete":
      return transaction.delete(path, { version });
    case "check":
      return transaction.check(path, { version });
  }
}

function outcomeOf(error: RequestError): Operation["outcome"] {
  if (error.mayHaveHappened) return "unknown";
  const isUnsent = [ConnectionLossError, RequestTimeoutError, SessionExpiredError, QueueFullError].some(
    (kind) => error instanceof kind,
  );
  return isUnsent ? "unsent" : "refused";
}

function outcomeText({ outcome, code, kind, stat, found, children, createdPath, seen }: Operation): string {
  const at = `0x${zxidHex(seen)}`;
  if (outcome !== "ok") return `${outcome} ${errorName(code)} ${at}`;
  if (kind === "getData") return `ok ${at} mzxid 0x${zxidHex(stat?.mzxid ?? 0)} ${found.slice(0, 40)}`;
  if (kind === "exists") return `ok ${at} ${stat === null ? "no node" : `mzxid 0x${zxidHex(stat.mzxid)}`}`;
  if (kind === "getChildren") return `ok ${at} ${children.length} children`;
  return `ok ${at} ${createdPath}`.trimEnd();
}
