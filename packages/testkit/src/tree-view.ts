/** The tree of a running server as plain data, read in this process: no session, no watch, no trace on the server. */
import type { ACL, Stat } from "@vivarium/protocol";
import type { ZooKeeperServer } from "@vivarium/server";

/** Data by path, in the order of the paths' parts: text where the bytes are UTF-8, otherwise the bytes. */
export type Dump = Record<string, string | Uint8Array | null>;

/** All there is to know of one node. */
export interface TestNode {
  /** Text where the bytes are UTF-8, otherwise the bytes; null where none were ever given. */
  data: string | Uint8Array | null;
  stat: Stat;
  acl: readonly ACL[];
  /** Names, sorted. */
  children: string[];
}

type Tree = ZooKeeperServer["tree"];

const NONE = -1;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Everything below `under`, parents first, by the paths that a client with that chroot would see. */
export function dumpTree(tree: Tree, under: string): Dump {
  const found: Dump = {};
  const visit = (node: number, path: string): void => {
    for (const child of children(tree, node)) {
      const childPath = `${path}/${child.name}`;
      // ZooKeeper's own nodes are no test's doing.
      if (under === "/" && childPath === "/zookeeper") continue;
      found[childPath] = readable(tree.nodes.data(child.node));
      visit(child.node, childPath);
    }
  };
  visit(requireNode(tree, under), "");
  return found;
}

export function findNode(tree: Tree, path: string): TestNode | undefined {
  const node = tree.nodes.findPath(path === "/" ? "" : path);
  if (node === NONE) return undefined;
  return {
    data: readable(tree.nodes.data(node)),
    stat: tree.nodes.stat(node),
    acl: tree.acls.get(tree.nodes.aclId(node)) ?? [],
    children: children(tree, node).map(({ name }) => name),
  };
}

function requireNode(tree: Tree, path: string): number {
  const node = tree.nodes.findPath(path === "/" ? "" : path);
  if (node === NONE) throw new Error(`there is no node ${path} on the test server`);
  return node;
}

function children(tree: Tree, parent: number): { name: string; node: number }[] {
  const found: { name: string; node: number }[] = [];
  for (let node = tree.nodes.firstChild(parent); node !== NONE; node = tree.nodes.nextSibling(node)) {
    found.push({ name: tree.nodes.name(node), node });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readable(data: Uint8Array | null): string | Uint8Array | null {
  if (data === null) return null;
  try {
    return utf8.decode(data);
  } catch {
    return data.slice();
  }
}
