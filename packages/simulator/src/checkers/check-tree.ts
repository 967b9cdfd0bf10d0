/** A server's tree is the model's, node by node. */
import type { RunningServer } from "@vivarium/server";
import { text } from "./committed.ts";
import type { ModelNode } from "./model.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

type Tree = RunningServer["server"]["tree"];

const NONE = -1;
const ROOT = 0;

export function checkTree(server: string, tree: Tree, truth: Truth): void {
  const { nodes: expected } = truth.model;
  let count = 0;
  const wrong = (what: string, path: string): void =>
    truth.report(violation("every server has the whole tree", `${server}: ${what}`, server, path));
  const visit = (node: number, path: string): void => {
    if (path === "/zookeeper") return;
    count++;
    const model = expected.get(path === "" ? "/" : path);
    if (model === undefined) return wrong(`${path} should not exist`, path);
    const problem = difference(tree, node, model);
    if (problem !== undefined) wrong(`${path || "/"}: ${problem}`, path);
    for (let child = tree.nodes.firstChild(node); child !== NONE; child = tree.nodes.nextSibling(child)) {
      visit(child, `${path}/${tree.nodes.name(child)}`);
    }
  };
  visit(ROOT, "");
  const wanted = [...expected.keys()].filter((path) => !path.startsWith("/zookeeper"));
  if (count !== wanted.length) wrong(`${count} nodes instead of ${wanted.length}`, "/");
  const sessions = [...truth.model.sessions.values()].filter(({ closedAt }) => closedAt === null);
  if (tree.sessions.size !== sessions.length) {
    wrong(`${tree.sessions.size} sessions instead of ${sessions.length}`, "/");
  }
}

function difference(tree: Tree, node: number, model: ModelNode): string | undefined {
  const stat = tree.nodes.stat(node);
  const pairs: [string, unknown, unknown][] = [
    ["data", text(tree.nodes.data(node)), model.data],
    ["czxid", stat.czxid, model.czxid],
    ["mzxid", stat.mzxid, model.mzxid],
    ["pzxid", stat.pzxid, model.pzxid],
    ["version", stat.version, model.version],
    ["cversion", stat.cversion, model.cversion],
    ["ephemeralOwner", stat.ephemeralOwner, model.owner],
    ["numChildren", stat.numChildren, model.childCount],
  ];
  const wrong = pairs.find(([, found, expected]) => found !== expected);
  return wrong === undefined ? undefined : `${wrong[0]} is ${wrong[1]} instead of ${wrong[2]}`;
}
