import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "@vivarium/protocol";
import { crashTrial } from "./crash-trial.ts";
import { Model } from "./model.ts";
import type { Observation, SeenNode } from "./observation.ts";
import type { Action, Operation } from "./operation.ts";
import { BrokenPromise, reconcile } from "./reconcile.ts";

const SESSION = 7n;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const create = (path: string, more = {}): Action & { kind: "create" } => ({
  kind: "create",
  path,
  data: bytes(path),
  ephemeral: false,
  sequential: false,
  withStat: false,
  ...more,
});
const operation = (action: Action, zxid?: number): Operation => ({ action, stamp: { zxid }, sessionId: SESSION });
const model = (...actions: Action[]) => {
  const result = new Model("/w", { zxid: 1 });
  actions.forEach((action, index) => {
    result.apply(operation(action, index + 2));
  });
  return result;
};

/** What a client would see of exactly this state. */
function seen(state: Model): Map<string, SeenNode> {
  const unknown = 99;
  const entries = [...state.nodes].map(([path, node]): [string, SeenNode] => {
    const numChildren = node.children.size;
    const stat = {
      czxid: node.created.zxid ?? unknown,
      mzxid: node.modified.zxid ?? unknown,
      ctime: 5,
      mtime: 5,
      version: node.version,
      cversion: 2 * node.creates - numChildren,
      aversion: 0,
      ephemeralOwner: node.owner,
      dataLength: node.data.length,
      numChildren,
      pzxid: node.childrenChanged.zxid ?? unknown,
    };
    return [path, { data: node.data, stat }];
  });
  return new Map(entries);
}

const a = create("/w/a");
const setA: Action = { kind: "setData", path: "/w/a", data: bytes("new"), version: -1 };
const deleteA: Action = { kind: "delete", path: "/w/a", version: -1 };
const both: Action = { kind: "multi", changes: [create("/w/b"), create("/w/c")] };

const explained: { name: string; kept: Action[]; inDoubt: Action[]; carriedOut: Action[] }[] = [
  { name: "nothing in doubt", kept: [a], inDoubt: [], carriedOut: [] },
  { name: "none carried out", kept: [a], inDoubt: [setA, deleteA], carriedOut: [] },
  { name: "a prefix carried out", kept: [a], inDoubt: [setA, deleteA], carriedOut: [setA] },
  { name: "all carried out", kept: [a], inDoubt: [setA, deleteA], carriedOut: [setA, deleteA] },
  { name: "a whole multi", kept: [a], inDoubt: [both], carriedOut: [both] },
];
for (const { name, kept, inDoubt, carriedOut } of explained) {
  test(`a crash is explained: ${name}`, () => {
    const observation = seen(model(...kept, ...carriedOut));
    const found = reconcile(
      observation,
      model(...kept),
      inDoubt.map((action) => operation(action)),
    );
    assert.equal(found, carriedOut.length);
  });
}

const broken: { name: string; kept: Action[]; inDoubt: Action[]; observation: Observation }[] = [
  { name: "an acknowledged create is lost", kept: [a], inDoubt: [], observation: seen(model()) },
  { name: "an acknowledged set is lost", kept: [a, setA], inDoubt: [], observation: seen(model(a)) },
  { name: "an acknowledged delete is lost", kept: [a, deleteA], inDoubt: [], observation: seen(model(a)) },
  { name: "half a multi", kept: [a], inDoubt: [both], observation: seen(model(a, create("/w/b"))) },
  { name: "a later write without an earlier one", kept: [], inDoubt: [a, both], observation: seen(model(both)) },
  {
    name: "an ephemeral without its owner",
    kept: [create("/w/e", { ephemeral: true })],
    inDoubt: [],
    observation: seen(model(create("/w/e"))),
  },
];
for (const { name, kept, inDoubt, observation } of broken) {
  test(`a crash is not explained: ${name}`, () => {
    const doubts = inDoubt.map((action) => operation(action));
    assert.throws(() => reconcile(observation, model(...kept), doubts), BrokenPromise);
  });
}

const answers: { name: string; before: Action[]; action: Action; errs: number[] }[] = [
  { name: "a create below nothing", before: [], action: create("/w/x/y"), errs: [ErrorCode.NONODE] },
  { name: "a create of what exists", before: [a], action: a, errs: [ErrorCode.NODEEXISTS] },
  {
    name: "a create below an ephemeral node",
    before: [create("/w/e", { ephemeral: true })],
    action: create("/w/e/x"),
    errs: [ErrorCode.NOCHILDRENFOREPHEMERALS],
  },
  { name: "a delete of a parent", before: [a, create("/w/a/b")], action: deleteA, errs: [ErrorCode.NOTEMPTY] },
  { name: "a set of another version", before: [a], action: { ...setA, version: 3 }, errs: [ErrorCode.BADVERSION] },
  {
    name: "a multi of which one part fails",
    before: [a],
    action: { kind: "multi", changes: [create("/w/b"), a, create("/w/c")] },
    errs: [ErrorCode.OK, ErrorCode.NODEEXISTS, ErrorCode.RUNTIMEINCONSISTENCY],
  },
];
for (const { name, before, action, errs } of answers) {
  test(`the model refuses ${name}`, () => {
    const state = model(...before);
    const paths = [...state.nodes.keys()];
    const answer = state.apply(operation(action));
    assert.deepEqual(
      answer.outcomes.map(({ err }) => err),
      errs,
    );
    assert.deepEqual([...state.nodes.keys()], paths);
  });
}

test("sequential names count the creates of a parent", () => {
  const sequential = create("/w/s-", { sequential: true });
  const state = model(sequential, a, deleteA, sequential);
  assert.deepEqual([...state.nodes.keys()], ["/w", "/w/s-0000000000", "/w/s-0000000002"]);
});

test("a server that is killed again and again keeps its word", { timeout: 60_000 }, async () => {
  const report = await crashTrial({ rounds: 4, seed: 11, secondsPerRound: 0.3 });
  assert.equal(report.rounds, 4);
  assert.ok(report.acknowledged > 0);
});
