/** What nearly everyone writes anew around a client: parents made on the way, subtrees listed and deleted. */
import type { ACL, CreateMode } from "@vivarium/protocol";
import type { CallOptions } from "./core.ts";
import { NodeExistsError, NoNodeError, NotEmptyError } from "./errors.ts";
import type { CreateResult, GetChildrenResult } from "./operations.ts";
import type { Data } from "./request.ts";

export interface HelperTarget {
  create(path: string, data: Data, options: CallOptions & { mode?: CreateMode; acl?: ACL[] }): Promise<CreateResult>;
  delete(path: string, options: CallOptions): Promise<void>;
  getChildren(path: string, options: CallOptions): Promise<GetChildrenResult>;
  nowMs(): number;
}

/** Gives each call of a helper the helper's signal, and what is left of its deadline. */
function limitsOf(zk: HelperTarget, { signal, timeoutMs }: CallOptions): () => CallOptions {
  const common = signal === undefined ? {} : { signal };
  if (timeoutMs === undefined) return () => common;
  const untilMs = zk.nowMs() + timeoutMs;
  // A millisecond at least: a deadline that has passed is told by the call itself.
  return () => ({ ...common, timeoutMs: Math.max(1, untilMs - zk.nowMs()) });
}

export interface EnsurePathOptions extends CallOptions {
  /** Default CreateMode.PERSISTENT; with CONTAINER the server deletes them again when they are empty. */
  mode?: typeof CreateMode.PERSISTENT | typeof CreateMode.CONTAINER;
  acl?: ACL[];
}

/** Makes the node at `path` and all that is missing above it; those that exist are left as they are. */
export function ensurePath(zk: HelperTarget, path: string, options: EnsurePathOptions = {}): Promise<void> {
  const limits = limitsOf(zk, options);
  const { timeoutMs: _, ...rest } = options;
  if (path === "/") return Promise.resolve();
  const ensure = async (each: string): Promise<void> => {
    try {
      await zk.create(each, null, { ...rest, ...limits() });
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      const parent = each.slice(0, each.lastIndexOf("/"));
      // Below the root of a view only the view's own chroot can be missing.
      if (!(error instanceof NoNodeError) || parent === "") throw error;
      await ensure(parent);
      await ensure(each);
    }
  };
  return ensure(path);
}

/** So many calls at once stay far below `maxQueuedRequests`. */
const BATCH = 5000;

async function inBatches<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<PromiseSettledResult<R>[]> {
  const outcomes: PromiseSettledResult<R>[] = [];
  for (let at = 0; at < items.length; at += BATCH) {
    outcomes.push(...(await Promise.allSettled(items.slice(at, at + BATCH).map(call))));
  }
  return outcomes;
}

/** All paths below `path`, each after its parent, `path` itself first. */
export function listSubtree(zk: HelperTarget, path: string, options: CallOptions = {}): Promise<string[]> {
  return subtreeOf(zk, path, limitsOf(zk, options));
}

async function subtreeOf(zk: HelperTarget, path: string, limits: () => CallOptions): Promise<string[]> {
  const found = [path];
  for (let level = [path]; level.length > 0; ) {
    const answers = await inBatches(level, (parent) => childrenOf(zk, parent, limits()));
    level = answers.flatMap((answer) => {
      if (answer.status === "rejected") throw answer.reason;
      return answer.value;
    });
    for (const path of level) found.push(path);
  }
  return found;
}

async function childrenOf(zk: HelperTarget, path: string, limits: CallOptions): Promise<string[]> {
  try {
    const { children } = await zk.getChildren(path, limits);
    return children.map((name) => (path === "/" ? `/${name}` : `${path}/${name}`));
  } catch (error) {
    if (error instanceof NoNodeError) return [];
    throw error;
  }
}

/** Deletes a node and all below it, also what others add meanwhile. Nothing there is no error. */
export async function deleteSubtree(zk: HelperTarget, path: string, options: CallOptions = {}): Promise<void> {
  const limits = limitsOf(zk, options);
  for (;;) {
    const paths = (await subtreeOf(zk, path, limits)).reverse();
    const outcomes = await inBatches(paths, (each) => zk.delete(each, limits()));
    const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    const serious = failures.find((error) => !(error instanceof NoNodeError || error instanceof NotEmptyError));
    if (serious !== undefined) throw serious;
    if (!failures.some((error) => error instanceof NotEmptyError)) return;
  }
}
