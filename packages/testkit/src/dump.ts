/** The whole tree of a running server as plain data, for assertions. */
import type { ACL, Stat } from "@vivarium/protocol";
import type { ZooKeeperServer } from "@vivarium/server";

export interface DumpedNode {
  data: Uint8Array | null;
  stat: Stat;
  acl: readonly ACL[];
}

const NONE = -1;
const ROOT = 0;

/** By path, parents first and siblings in order; /zookeeper and what is below it are left out. */
export function dumpTree({ tree }: ZooKeeperServer): Record<string, DumpedNode> {
  const found: Record<string, DumpedNode> = {};
  const visit = (node: number, path: string): void => {
    if (path === "/zookeeper") return;
    found[path === "" ? "/" : path] = {
      data: tree.nodes.data(node),
      stat: tree.nodes.stat(node),
      acl: tree.acls.get(tree.nodes.aclId(node)) ?? [],
    };
    const children: { name: string; node: number }[] = [];
    for (let child = tree.nodes.firstChild(node); child !== NONE; child = tree.nodes.nextSibling(child)) {
      children.push({ name: tree.nodes.name(child), node: child });
    }
    children.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of children) visit(child.node, `${path}/${child.name}`);
  };
  visit(ROOT, "");
  return found;
}
