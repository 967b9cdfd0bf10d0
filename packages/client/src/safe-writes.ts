/**
 * Writes that survive the loss of a connection. When an answer is missing the write may or may not have been made; each
 * of these finds out which, and repeats it only when it was not.
 *
 * - protected create: the name carries a GUID, by which the node is found again (the recipe and the name format are
 *   Curator's: `_c_<guid>-name`).
 * - idempotent create, setData, delete: repeated, and a refusal that only the first attempt can have caused is success.
 * - guaranteed delete: goes on after its call has failed, until the node is gone or cannot be deleted.
 */
import type { Stat } from "@vivarium/protocol";
import {
  BadVersionError,
  ConnectionLossError,
  NodeExistsError,
  NoNodeError,
  RequestError,
  RequestTimeoutError,
  SessionExpiredError,
} from "./errors.ts";
import type { CreateResult, GetChildrenResult, GetDataResult } from "./operations.ts";
import type { Data } from "./request.ts";

export interface Call {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** What these writes need of a client. */
export interface WriteTarget<Options extends Call> {
  create(path: string, data: Data, options: Options): Promise<CreateResult>;
  setData(path: string, data: Data, options: Call & { version?: number }): Promise<Stat>;
  delete(path: string, options: Call & { version?: number }): Promise<void>;
  getData(path: string, options: Call): Promise<GetDataResult>;
  getChildren(path: string, options: Call): Promise<GetChildrenResult>;
  exists(path: string, options: Call): Promise<Stat | null>;
  sessionId(): bigint;
  /** In the form of a UUID. */
  guid(): string;
  nowMs(): number;
}

/** Repeats `attempt` while nobody knows whether it did anything, until the call's deadline. */
async function untilCertain<T>(
  now: () => number,
  call: Call,
  attempt: (call: Call, again: boolean) => Promise<T>,
): Promise<T> {
  const untilMs = call.timeoutMs === undefined ? Number.POSITIVE_INFINITY : now() + call.timeoutMs;
  for (let again = false; ; again = true) {
    const timeoutMs = untilMs - now();
    const limits = { ...call, ...(call.timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, timeoutMs) }) };
    try {
      return await attempt(limits, again);
    } catch (error) {
      if (!(error instanceof ConnectionLossError) || now() >= untilMs) throw error;
    }
  }
}

export async function protectedCreate<Options extends Call>(
  zk: WriteTarget<Options>,
  path: string,
  data: Data,
  options: Options,
): Promise<CreateResult> {
  const slash = path.lastIndexOf("/");
  const parent = path.slice(0, slash) || "/";
  const directory = parent === "/" ? "" : parent;
  const name = path.slice(slash + 1);
  let marker = `_c_${zk.guid()}-`;
  let session = zk.sessionId();
  return untilCertain(zk.nowMs, options, async (limits, again) => {
    if (again) {
      const { children } = await zk.getChildren(parent, limits);
      const found = children.find((child) => child.startsWith(marker));
      const stat = found === undefined ? null : await zk.exists(`${directory}/${found}`, limits);
      if (found !== undefined && stat !== null) {
        if (stat.ephemeralOwner === 0n || stat.ephemeralOwner === zk.sessionId())
          return { path: `${directory}/${found}`, stat };
        // It belongs to the session before and will vanish with it.
        await zk.delete(`${directory}/${found}`, limits).catch(ignoreMissing);
      }
      if (session !== zk.sessionId()) {
        session = zk.sessionId();
        marker = `_c_${zk.guid()}-`;
      }
    }
    return zk.create(`${directory}/${marker}${name}`, data, { ...options, ...limits });
  });
}

export function idempotentCreate<Options extends Call>(
  zk: WriteTarget<Options>,
  path: string,
  data: Data,
  options: Options,
): Promise<CreateResult> {
  return untilCertain(zk.nowMs, options, async (limits, again) => {
    try {
      return await zk.create(path, data, { ...options, ...limits });
    } catch (error) {
      if (!again || !(error instanceof NodeExistsError)) throw error;
      const found = await zk.getData(path, limits);
      const ours = found.stat.ephemeralOwner === 0n || found.stat.ephemeralOwner === zk.sessionId();
      if (!ours || found.stat.version !== 0 || !sameData(found.data, data)) throw error;
      return { path, stat: found.stat };
    }
  });
}

export function idempotentSetData<Options extends Call>(
  zk: WriteTarget<Options>,
  path: string,
  data: Data,
  options: Call & { version?: number },
): Promise<Stat> {
  return untilCertain(zk.nowMs, options, async (limits, again) => {
    try {
      return await zk.setData(path, data, { ...options, ...limits });
    } catch (error) {
      if (!again || options.version === undefined || !(error instanceof BadVersionError)) throw error;
      const found = await zk.getData(path, limits);
      const next = (options.version + 1) | 0;
      if (found.stat.version !== next || !sameData(found.data, data)) throw error;
      return found.stat;
    }
  });
}

export function idempotentDelete<Options extends Call>(
  zk: WriteTarget<Options>,
  path: string,
  options: Call & { version?: number },
): Promise<void> {
  return untilCertain(zk.nowMs, options, async (limits, again) => {
    try {
      await zk.delete(path, { ...options, ...limits });
    } catch (error) {
      if (!again || !(error instanceof NoNodeError)) throw error;
    }
  });
}

export async function guaranteedDelete<Options extends Call>(
  zk: WriteTarget<Options>,
  path: string,
  options: Call & { version?: number },
): Promise<void> {
  try {
    await idempotentDelete(zk, path, options);
  } catch (error) {
    if (isUncertain(error)) void deleteInBackground(zk, path, options.version);
    throw error;
  }
}

/** Calls wait for a connection by themselves, so this does not spin; it ends with the session. */
async function deleteInBackground<Options extends Call>(
  zk: WriteTarget<Options>,
  path: string,
  version: number | undefined,
): Promise<void> {
  for (;;) {
    try {
      await zk.delete(path, { timeoutMs: Number.POSITIVE_INFINITY, ...(version === undefined ? {} : { version }) });
      return;
    } catch (error) {
      if (!(error instanceof ConnectionLossError)) return;
    }
  }
}

function isUncertain(error: unknown): boolean {
  if (error instanceof SessionExpiredError || !(error instanceof RequestError)) return false;
  return error instanceof ConnectionLossError || error instanceof RequestTimeoutError || error.mayHaveHappened;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof NoNodeError)) throw error;
}

function sameData(found: Buffer | null, given: Data): boolean {
  if (found === null || given === null) return found === given;
  return found.equals(Buffer.from(given as string));
}
