/** Trees as test code writes them, put on a server. */
import type { ZooKeeper } from "@vivarium/client";

/** Data of a node, or the nodes below it. Both at once: give the data under the key "". */
export type SeedTree = { [name: string]: string | Uint8Array | null | SeedTree };

/** Creates what is missing of `tree` under the client's root, parents first; existing nodes get the data. */
export async function plant(client: ZooKeeper, tree: SeedTree, at = ""): Promise<void> {
  for (const [name, value] of Object.entries(tree)) {
    if (name === "") continue;
    const path = `${at}/${name}`;
    const isLeaf = value === null || typeof value === "string" || value instanceof Uint8Array;
    const data = isLeaf ? value : leafData(value);
    await put(client, path, data);
    if (!isLeaf) await plant(client, value, path);
  }
}

function leafData(tree: SeedTree): string | Uint8Array | null {
  const data = tree[""] ?? null;
  return typeof data === "string" || data instanceof Uint8Array ? data : null;
}

async function put(client: ZooKeeper, path: string, data: string | Uint8Array | null): Promise<void> {
  if ((await client.exists(path)) === null) await client.create(path, data);
  else if (data !== null) await client.setData(path, data);
}
