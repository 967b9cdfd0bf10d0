/** What each kind of call can be told, beside its deadline and its signal. */
import type { ACL, CreateMode } from "@vivarium/protocol";
import type { CallOptions } from "./core.ts";
import type { WatchListener } from "./watch-event.ts";

export interface ReadOptions extends CallOptions {
  /** Called once, at the next change of what was read. Given twice for one path, it is called once. */
  watch?: WatchListener;
}

export interface VersionOptions extends CallOptions {
  /** The version that the node must have; default any. */
  version?: number;
}

export interface CreateOptions extends CallOptions {
  /** Default CreateMode.PERSISTENT. */
  mode?: CreateMode;
  /** Default: the client's `defaultAcl`. */
  acl?: ACL[];
  /** Milliseconds without change or children after which a TTL node goes; only for the two TTL modes. */
  ttlMs?: number;
  /**
   * True: the name begins with `_c_<guid>-`, and when the connection breaks before the answer, the node is looked for
   * instead of made twice. The right way to make ephemeral sequential nodes.
   */
  protected?: boolean;
  /** True: repeated when the connection breaks; a node that is there with this very data then counts as made. */
  idempotent?: boolean;
}

export interface SetDataOptions extends VersionOptions {
  /**
   * True: repeated when the connection breaks; the next version with this very data then counts as set. Without
   * `version` a repetition may overwrite what somebody else wrote in between.
   */
  idempotent?: boolean;
}

export interface DeleteOptions extends VersionOptions {
  /** True: repeated when the connection breaks; a node that is gone then counts as deleted. */
  idempotent?: boolean;
  /** True: as `idempotent`, and goes on in the background if the call fails without certainty. */
  guaranteed?: boolean;
}

export interface AddWatchOptions extends CallOptions {
  /** True: the node and everything below it, but no childrenChanged. Default false: only the node and its children. */
  recursive?: boolean;
  /** Called for each event, instead of iterating. */
  listener?: WatchListener;
}

export interface ReconfigOptions extends CallOptions {
  /** Servers to add, "server.4=host:2888:3888;2181", separated by commas. */
  joining?: string;
  /** Ids of servers to remove, separated by commas. */
  leaving?: string;
  /** The whole new membership, instead of the two above. */
  newMembers?: string;
  /** Version of the configuration that this is meant to change; default any. */
  fromConfig?: number;
}
