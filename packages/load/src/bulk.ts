/** Many requests that only have to be done, a thousand in flight: making trees, taking them away, opening sessions. */
import type { Writer } from "@vivarium/jute";
import {
  CreateRequest,
  DeleteRequest,
  ErrorCode,
  GetChildrenResponse,
  OpCode,
  WatchedPathRequest,
} from "@vivarium/protocol";
import type { Network } from "@vivarium/runtime";
import { createValue, dataOf } from "./bodies.ts";
import { type Address, LoadSession, ServerError, type SessionOptions } from "./session.ts";

const WINDOW = 1000;
/** A hundred values of 1 MB must not be in flight at once. */
const WINDOW_BYTES = 4_000_000;
const OPENING = 200;

interface Bulk {
  readonly count: number;
  readonly type: number;
  readonly write: (writer: Writer, index: number) => void;
  /** Further error codes that are as good as success. */
  readonly accepts?: readonly number[];
  readonly onProgress?: (done: number) => void;
  readonly bytesEach?: number;
}

/** Sends `count` requests of one type over one session. @throws ServerError of the first refusal, once nothing is in flight */
function inBulk(session: LoadSession, bulk: Bulk): Promise<void> {
  const { count, type, write, accepts = [], onProgress = () => {}, bytesEach = 0 } = bulk;
  const window = Math.max(1, Math.min(WINDOW, Math.floor(WINDOW_BYTES / (bytesEach + 1))));
  let wanted = count;
  let sent = 0;
  let answered = 0;
  let refusal: ServerError | undefined;
  return new Promise<void>((resolve, reject) => {
    const end = (error?: Error) => {
      session.onReply = session.answerCall;
      session.onBatch = () => {};
      session.onLost = () => {};
      if (error === undefined) resolve();
      else reject(error);
    };
    const send = () => {
      if (answered === wanted) return end(refusal);
      if (sent - answered > window / 2) return;
      for (; sent < wanted && sent - answered < window; sent++) {
        session.begin(type);
        write(session.writer, sent);
        session.finish();
      }
      session.flush();
      onProgress(answered);
    };
    session.onReply = (err) => {
      answered++;
      if (err === 0 || accepts.includes(err) || refusal !== undefined) return;
      refusal = new ServerError(`request ${answered} of ${count}`, err);
      wanted = sent;
    };
    session.onBatch = send;
    session.onLost = end;
    send();
  });
}

export interface CreateManyOptions {
  readonly data: Uint8Array;
  readonly flags?: number;
  readonly onProgress?: (done: number) => void;
}

/** Creates `count` nodes of the same data, parents before children; those that exist stay as they are. */
export function createMany(
  session: LoadSession,
  count: number,
  pathOf: (index: number) => string,
  { data, flags = 0, onProgress }: CreateManyOptions,
): Promise<void> {
  return inBulk(session, {
    count,
    type: OpCode.create,
    write: (writer, index) => CreateRequest.write(writer, createValue(pathOf(index), data, flags)),
    accepts: [ErrorCode.NODEEXISTS],
    bytesEach: data.length,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** Creates an empty node and gives back its path. */
export async function makeNode(session: LoadSession, path: string): Promise<string> {
  await createMany(session, 1, () => path, { data: dataOf(0) });
  return path;
}

async function childrenOf(session: LoadSession, path: string): Promise<string[]> {
  const write = (writer: Writer) => WatchedPathRequest.write(writer, { path, watch: false });
  const reader = await session.call(OpCode.getChildren, write, `getChildren ${path}`);
  return GetChildrenResponse.read(reader).children.map((name) => `${path}/${name}`);
}

const REMOVE_ATTEMPTS = 10;
const REMOVE_PAUSE_MS = 200;

/** Deletes a node and all below it, the deepest first. Others may delete at the same time, and create for a while. */
export async function removeTree(session: LoadSession, root: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await removeOnce(session, root);
    } catch (error) {
      const isLate = error instanceof ServerError && error.code === ErrorCode.NOTEMPTY;
      if (!isLate || attempt === REMOVE_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, REMOVE_PAUSE_MS));
    }
  }
}

async function removeOnce(session: LoadSession, root: string): Promise<void> {
  const all = [root];
  for (const path of all) {
    try {
      for (const child of await childrenOf(session, path)) all.push(child);
    } catch (error) {
      if (!(error instanceof ServerError && error.code === ErrorCode.NONODE)) throw error;
    }
  }
  all.reverse();
  await inBulk(session, {
    count: all.length,
    type: OpCode.delete,
    write: (writer, index) => DeleteRequest.write(writer, { path: all[index] as string, version: -1 }),
    accepts: [ErrorCode.NONODE],
  });
}

/** Opens `count` sessions, spread evenly over the servers, `atOnce` connections being opened at any time. */
export async function openSessions(
  network: Network,
  hosts: readonly Address[],
  count: number,
  { atOnce = OPENING, ...options }: SessionOptions & { atOnce?: number } = {},
): Promise<LoadSession[]> {
  const sessions: LoadSession[] = [];
  let next = 0;
  const opener = async () => {
    while (next < count) {
      const index = next++;
      sessions[index] = await LoadSession.open(network, hosts[index % hosts.length] as Address, options);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, opener));
  } catch (error) {
    next = count;
    for (const session of sessions) session?.drop();
    throw error;
  }
  return sessions;
}

/** Sessions for a piece of work: closed after it, or dropped when it failed. */
export async function withSessions<T>(
  network: Network,
  hosts: readonly Address[],
  { count, ...options }: SessionOptions & { count: number },
  work: (sessions: readonly LoadSession[]) => Promise<T>,
): Promise<T> {
  const sessions = await openSessions(network, hosts, count, options);
  try {
    const result = await work(sessions);
    await closeSessions(sessions);
    return result;
  } finally {
    for (const session of sessions) session.drop();
  }
}

export async function closeSessions(sessions: readonly LoadSession[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}
