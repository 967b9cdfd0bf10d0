/** What nearly everyone writes anew around a client: parents made on the way, subtrees listed and deleted. */
import type { ACL, CreateMode, Stat } from "@vivarium/protocol";
import { NodeExistsError, NoNodeError, NotEmptyError } from "./errors.ts";
import type { CreateResult, GetChildrenResult } from "./operations.ts";
import type { Data } from "./request.ts";

export interface HelperTarget {
  create(path: string, data: Data, options: { mode?: CreateMode; acl?: ACL[] }): Promise<CreateResult>;
  delete(path: string): Promise<void>;
  exists(path: string): Promise<Stat | null>;
  getChildren(path: string): Promise<GetChildrenResult>;
}

export interface EnsurePathOptions {
  /** Default CreateMode.PERSISTENT; with CONTAINER the server deletes them again when they are empty. */
  mode?: typeof CreateMode.PERSISTENT | typeof CreateMode.CONTAINER;
  acl?: ACL[];
}

/** Makes the node at `path` and all that is missing above it; those that exist are left as they are. */
export async function ensurePath(zk: HelperTarget, path: string, options: EnsurePathOptions = {}): Promise<void> {
  if (path === "/") return;
  try {
    await zk.create(path, null, options);
  } catch (error) {
    if (error instanceof NodeExistsError) return;
    if (!(error instanceof NoNodeError)) throw error;
    await ensurePath(zk, path.slice(0, path.lastIndexOf("/")) || "/", options);
    await ensurePath(zk, path, options);
  }
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
export async function listSubtree(zk: HelperTarget, path: string): Promise<string[]> {
  const found = [path];
  for (let level = [path]; level.length > 0; ) {
    const answers = await inBatches(level, (parent) => childrenOf(zk, parent));
    level = answers.flatMap((answer) => {
      if (answer.status === "rejected") throw answer.reason;
      return answer.value;
    });
    for (const path of level) found.push(path);
  }
  return found;
}

async function childrenOf(zk: HelperTarget, path: string): Promise<string[]> {
  try {
    const { children } = await zk.getChildren(path);
    return children.map((name) => (path === "/" ? `/${name}` : `${path}/${name}`));
  } catch (error) {
    if (error instanceof NoNodeError) return [];
    throw error;
  }
}

/** Deletes a node and all below it, also what others add meanwhile. Nothing there is no error. */
export async function deleteSubtree(zk: HelperTarget, path: string): Promise<void> {
  for (;;) {
    const paths = (await listSubtree(zk, path)).reverse();
    const outcomes = await inBatches(paths, (each) => zk.delete(each));
    const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    const serious = failures.find((error) => !(error instanceof NoNodeError || error instanceof NotEmptyError));
    if (serious !== undefined) throw serious;
    if (!failures.some((error) => error instanceof NotEmptyError)) return;
  }
}
