/** What clients asked for and what they were told, call by call: what the checkers read after the run. */
import type { Stat, Zxid } from "@vivarium/protocol";

export type OperationKind =
  | "create"
  | "setData"
  | "delete"
  | "multi"
  | "getData"
  | "exists"
  | "getChildren"
  | "multiRead"
  | "sync";

/** One part of a multi. */
export interface Part {
  readonly kind: "create" | "setData" | "delete" | "check";
  readonly path: string;
  readonly data: string;
  readonly version: number;
}

/** What is asked for. */
export interface Request {
  readonly kind: OperationKind;
  readonly path: string;
  /** What is written; different in every call of the run. */
  readonly data: string;
  /** Expected version, -1 for any. */
  readonly version: number;
  readonly sequential: boolean;
  readonly ephemeral: boolean;
  /** Of a multi. */
  readonly parts: readonly Part[];
  /** Of a multiRead. */
  readonly paths: readonly string[];
  /** The watch to leave with a read. */
  readonly watch: WatchRecord | null;
}

export interface FoundNode {
  readonly data: string;
  readonly stat: Stat;
}

/** What became of a call: `unknown` may have happened, `unsent` has not, `refused` was answered with an error. */
export type Outcome = "pending" | "ok" | "refused" | "unknown" | "unsent";

export interface Operation extends Request {
  /** Counts all calls of the run. */
  readonly index: number;
  readonly session: SessionRecord;
  readonly invokedMs: number;
  /** The highest zxid that any client had been told of when this was asked. */
  readonly toldBefore: Zxid;
  outcome: Outcome;
  /** Of a refusal: the protocol's error code. */
  code: number;
  returnedMs: number;
  /** Place among all returns and watch events of the run. */
  order: number;
  /** Connections that the session had had on return. */
  connection: number;
  /** The highest zxid that the session had been told of on return. */
  seen: Zxid;
  /** What an exists found (null: no node), and what a write or getChildren was told of the node. */
  stat: Stat | null;
  /** What getData found. */
  found: string;
  children: readonly string[];
  createdPath: string;
  /** What a multiRead found at each of `paths`; null where there is no node. */
  reads: readonly (FoundNode | null)[];
}

export interface WatchRecord {
  readonly kind: "data" | "child" | "exist";
  readonly path: string;
  /** How many connections the session had had when the watch was asked for. */
  readonly connection: number;
  event: WatchEventRecord | null;
  /** Events after the first: there must be none. */
  extra: number;
}

export interface WatchEventRecord {
  readonly type: string;
  readonly zxid: Zxid | null;
  readonly order: number;
  readonly connection: number;
}

/** A persistent recursive watch, until its session's connection is replaced or the watch is closed. */
export interface SubtreeWatch {
  readonly path: string;
  /** What the session had certainly been told when it asked, and at most when it had its answer. */
  readonly askedAt: Zxid;
  setAt: Zxid;
  readonly connection: number;
  /** Place among all returns and events at which it stopped counting; 0 while it counts. */
  closedOrder: number;
  readonly events: {
    readonly type: string;
    readonly path: string;
    readonly zxid: Zxid | null;
    readonly order: number;
  }[];
}

/** One session of one client, from its first connect to its end. */
export interface SessionRecord {
  /** As traces show it: "c2.1" is the first session of client c2. */
  readonly name: string;
  /** 0n until granted. */
  id: bigint;
  connections: number;
  readonly operations: Operation[];
  readonly subtreeWatches: SubtreeWatch[];
  /** The client asked for its end. */
  closing: boolean;
  /** False once its client's process has died. */
  alive: boolean;
  /** For how long the client believes its session to be safe, now. */
  remainingMs: () => number;
}

/** A time in which a client held a lock, as far as it could know. World time. */
export interface Holding {
  readonly session: string;
  readonly path: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export class History {
  readonly operations: Operation[] = [];
  readonly sessions: SessionRecord[] = [];
  readonly holdings: Holding[] = [];
  /** The highest zxid that any client has been told of. */
  told: Zxid = 0;
  #order = 0;

  nextOrder(): number {
    return ++this.#order;
  }
}
