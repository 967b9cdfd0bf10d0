/** One part of the tree as a client sees it after a restart, and how it differs from what a model says. */
import {
  ErrorCode,
  GetChildren2Response,
  GetDataResponse,
  OpCode,
  type Stat,
  WatchedPathRequest,
} from "@vivarium/protocol";
import type { RawClient } from "../raw-client.ts";
import { type Learnt, type Model, statDifference } from "./model.ts";

export interface SeenNode {
  readonly data: Uint8Array;
  readonly stat: Stat;
}
export type Observation = ReadonlyMap<string, SeenNode>;

/** Reads a node and all below it. */
export async function observe(client: RawClient, root: string): Promise<Observation> {
  const seen = new Map<string, SeenNode>();
  let level = [root];
  while (level.length > 0) {
    const read = await Promise.all(level.map((path) => observeNode(client, path)));
    level = [];
    for (const { path, data, stat, children } of read) {
      seen.set(path, { data, stat });
      for (const child of children) level.push(`${path}/${child}`);
    }
  }
  return seen;
}

async function observeNode(client: RawClient, path: string) {
  const asking = { path, watch: false };
  const [got, listed] = await Promise.all([
    client.request(OpCode.getData, WatchedPathRequest, asking),
    client.request(OpCode.getChildren2, WatchedPathRequest, asking),
  ]);
  if (got.err !== ErrorCode.OK || listed.err !== ErrorCode.OK) {
    throw new Error(`${path} is listed by its parent, but reading it gives ${got.err} and ${listed.err}`);
  }
  const { data, stat } = got.read(GetDataResponse);
  const { children } = listed.read(GetChildren2Response);
  return { path, data: data ?? new Uint8Array(0), stat, children };
}

/** @returns the first difference in words, or undefined if this is exactly the model's state */
export function difference(observation: Observation, model: Model, learnt: Learnt): string | undefined {
  for (const [path, node] of model.nodes) {
    const seen = observation.get(path);
    if (seen === undefined) return `${path} is missing`;
    const wrong = statDifference(seen.stat, node, node.children.size, learnt);
    if (wrong !== undefined) return `${path}: ${wrong}`;
    if (Buffer.compare(seen.data, node.data) !== 0) return `${path}: the data differ, ${seen.data.length} bytes`;
  }
  for (const path of observation.keys()) if (!model.nodes.has(path)) return `${path} should not be there`;
  return undefined;
}
