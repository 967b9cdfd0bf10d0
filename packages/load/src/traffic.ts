/** The kinds of requests that `drive` keeps in flight. */
import { CreateMode, CreateRequest, DeleteRequest, type MultiOp, MultiRequest, OpCode } from "@vivarium/protocol";
import { bodies, createValue, dataOf } from "./bodies.ts";
import type { Traffic } from "./drive.ts";
import type { LoadSession } from "./session.ts";

/** Numbers from 0 to `below`, quickly and the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e37_79b1);
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const pick = (list: readonly Uint8Array[], next: (below: number) => number) => list[next(list.length)] as Uint8Array;

/** getData and setData of random nodes of `paths`. */
export function readsAndWrites(
  paths: readonly string[],
  { readPercent, sizeBytes }: { readPercent: number; sizeBytes: number },
): Traffic {
  const reads = paths.map((path) => bodies.read(path));
  const data = dataOf(sizeBytes);
  const writes = readPercent === 100 ? [] : paths.map((path) => bodies.setData(path, data));
  return {
    kinds: ["read", "write"],
    connection(index) {
      const next = numbers(index);
      return (session) => {
        const isRead = next(100) < readPercent;
        if (isRead) session.send(OpCode.getData, pick(reads, next));
        else session.send(OpCode.setData, pick(writes, next));
        return isRead ? 0 : 1;
      };
    },
  };
}

/** The same among so many nodes that their requests are not kept. */
export function readsAndWritesAmong(
  count: number,
  pathOf: (index: number) => string,
  { readPercent, sizeBytes }: { readPercent: number; sizeBytes: number },
): Traffic {
  const data = dataOf(sizeBytes);
  return {
    kinds: ["read", "write"],
    connection(index) {
      const next = numbers(index);
      return (session) => {
        const isRead = next(100) < readPercent;
        session.begin(isRead ? OpCode.getData : OpCode.setData);
        session.writer.ustring(pathOf(next(count)));
        if (isRead) session.writer.bool(false);
        else {
          session.writer.buffer(data);
          session.writer.int(-1);
        }
        session.finish();
        return isRead ? 0 : 1;
      };
    },
  };
}

/** One request over and over. */
export function repeated(kind: string, type: number, body: Uint8Array): Traffic {
  return {
    kinds: [kind],
    connection: () => (session) => {
      session.send(type, body);
      return 0;
    },
  };
}

/** Creates of nodes that stay, below `parent`. */
export function creates(parent: string, sizeBytes: number): Traffic {
  const data = dataOf(sizeBytes);
  return {
    kinds: ["create"],
    connection(index) {
      let created = 0;
      return (session) => {
        session.begin(OpCode.create);
        CreateRequest.write(session.writer, createValue(`${parent}/c${index}-${created++}`, data));
        session.finish();
        return 0;
      };
    },
  };
}

/** Each connection creates an ephemeral node and deletes it, in turns. */
export function ephemerals(parent: string): Traffic {
  const data = dataOf(0);
  return {
    kinds: ["create", "delete"],
    connection(index) {
      let sent = 0;
      return (session) => {
        const kind = sent % 2;
        const path = `${parent}/e${index}-${sent++ >> 1}`;
        session.begin(kind === 0 ? OpCode.create : OpCode.delete);
        if (kind === 0) CreateRequest.write(session.writer, createValue(path, data, CreateMode.EPHEMERAL));
        else DeleteRequest.write(session.writer, { path, version: -1 });
        session.finish();
        return kind;
      };
    },
  };
}

/** setData of ten nodes of `paths` in one multi. */
export function multis(paths: readonly string[], sizeBytes: number): Traffic {
  const data = dataOf(sizeBytes);
  const groups = Array.from({ length: Math.floor(paths.length / 10) }, (_, group) =>
    bodies.multi(
      paths
        .slice(group * 10, group * 10 + 10)
        .map((path) => ({ type: OpCode.setData, path, data, version: -1 }) as const),
    ),
  );
  return {
    kinds: ["multi"],
    connection(index) {
      const next = numbers(index);
      return (session) => {
        session.send(OpCode.multi, pick(groups, next));
        return 0;
      };
    },
  };
}

const PARTS_KEPT = 50;
const PART_BYTES = 200;

/**
 * What a replicated table of ClickHouse asks of its keeper, one replica per connection: of a hundred requests seventy are
 * multis (a part is written: check the replica, create the part and its log entry, move the pointer, drop the oldest),
 * fifteen getData, ten exists, five getChildren. `clickHouseNodes` must be there before.
 */
export function clickHouse(parent: string): Traffic {
  return {
    kinds: ["multi", "getData", "exists", "getChildren"],
    connection(index) {
      const replica = replicaOf(parent, index);
      const next = numbers(index);
      const pointer = bodies.read(`${replica}/log_pointer`);
      const list = bodies.read(`${replica}/parts`);
      let written = 0;
      return (session) => {
        const chance = next(100);
        if (chance < 70) {
          writePart(session, replica, written++);
          return 0;
        }
        if (chance < 85) session.send(OpCode.getData, pointer);
        else if (chance < 95) session.send(OpCode.exists, pointer);
        else session.send(OpCode.getChildren, list);
        return chance < 85 ? 1 : chance < 95 ? 2 : 3;
      };
    },
  };
}

const replicaOf = (parent: string, index: number) => `${parent}/replica-${String(index).padStart(4, "0")}`;

export function clickHouseNodes(parent: string, connections: number): string[] {
  const replicas = Array.from({ length: connections }, (_, index) => replicaOf(parent, index));
  return replicas.flatMap((replica) => [
    replica,
    ...["log_pointer", "parts", "log"].map((name) => `${replica}/${name}`),
  ]);
}

const part = dataOf(PART_BYTES);
const pointerData = dataOf(10);

function writePart(session: LoadSession, replica: string, n: number): void {
  const paths = (at: number) => [`${replica}/parts/all_${at}_${at}_0`, `${replica}/log/log-${at}`];
  const data = part;
  const ops: MultiOp[] = [{ type: OpCode.check, path: replica, version: -1 }];
  for (const path of paths(n)) ops.push({ type: OpCode.create, ...createValue(path, data) });
  ops.push({ type: OpCode.setData, path: `${replica}/log_pointer`, data: pointerData, version: -1 });
  if (n >= PARTS_KEPT) for (const path of paths(n - PARTS_KEPT)) ops.push({ type: OpCode.delete, path, version: -1 });
  session.begin(OpCode.multi);
  MultiRequest.write(session.writer, ops);
  session.finish();
}
