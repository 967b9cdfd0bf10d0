/** Trees as test code writes them, put on a server. */
import { NodeExistsError, type ZooKeeper } from "@vivarium/client";

/** By name or path: the data of a node, or the nodes below it. Both at once: give the data under the name "". */
export type SeedTree = { [nameOrPath: string]: string | Uint8Array | null | SeedTree };

/** By full path, every parent before what is below it. Null: only make sure that the node is there. */
export function flatten(tree: SeedTree): Map<string, string | Uint8Array | null> {
  const found = new Map<string, string | Uint8Array | null>();
  const add = (value: SeedTree[string], at: string): void => {
    if (isLeaf(value)) {
      found.set(at, value);
      return;
    }
    const own = value[""] ?? null;
    if (!isLeaf(own)) throw new Error(`the data of ${at || "/"}, given under "", must be text, bytes or null`);
    if (at !== "") found.set(at, own);
    for (const [key, below] of Object.entries(value)) {
      if (key === "") continue;
      let path = at;
      for (const name of key.split("/").filter((part) => part !== "")) {
        if (path !== "" && !found.has(path)) found.set(path, null);
        path = `${path}/${name}`;
      }
      add(below, path);
    }
  };
  add(tree, "");
  return found;
}

function isLeaf(value: SeedTree[string]): value is string | Uint8Array | null {
  return value === null || typeof value === "string" || value instanceof Uint8Array;
}

/** Makes what is missing under the client's root, in one go; nodes that are there get the data, unless it is null. */
export async function plant(client: ZooKeeper, tree: SeedTree): Promise<void> {
  const all = [...flatten(tree)].map(([path, data]) => put(client, path, data));
  await Promise.all(all);
}

async function put(client: ZooKeeper, path: string, data: string | Uint8Array | null): Promise<void> {
  try {
    await client.create(path, data);
  } catch (error) {
    if (!(error instanceof NodeExistsError)) throw error;
    if (data !== null) await client.setData(path, data);
  }
}
