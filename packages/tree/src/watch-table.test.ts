import assert from "node:assert/strict";
import { test } from "node:test";
import { AddWatchMode, EventType, WatcherType } from "@vivarium/protocol";
import type { WatchEvent, Watcher } from "./watch-index.ts";
import { WatchTable } from "./watch-table.ts";

class Ear implements Watcher {
  readonly id: number;
  heard: string[] = [];
  constructor(id: number) {
    this.id = id;
  }
  process(event: WatchEvent): void {
    const name = Object.entries(EventType).find(([, type]) => type === event.type)?.[0];
    this.heard.push(`${name} ${event.path}`);
  }
  take(): string[] {
    const heard = this.heard;
    this.heard = [];
    return heard;
  }
}

function setup() {
  const table = new WatchTable();
  const ear = new Ear(1);
  const fire = (path: string, type: EventType) => {
    table.trigger(path, type, 7, -1);
    return ear.take();
  };
  return { table, ear, fire };
}

test("a standard watch hears one event and is gone", () => {
  const { table, ear, fire } = setup();
  table.addData("/a", ear);
  table.addChild("/a", ear);
  assert.equal(table.size, 2);
  assert.deepEqual(fire("/a", EventType.NodeDataChanged), ["NodeDataChanged /a"]);
  assert.deepEqual(fire("/a", EventType.NodeDataChanged), []);
  assert.deepEqual(fire("/a", EventType.NodeChildrenChanged), ["NodeChildrenChanged /a"]);
  assert.deepEqual(fire("/a", EventType.NodeChildrenChanged), []);
  assert.ok(table.isEmpty);
});

test("a deleted node tells a connection once, and uses up its watches in both tables", () => {
  const { table, ear, fire } = setup();
  table.addData("/a", ear);
  table.addChild("/a", ear);
  assert.deepEqual(fire("/a", EventType.NodeDeleted), ["NodeDeleted /a"]);
  assert.ok(table.isEmpty);
  table.addChild("/a", ear);
  assert.deepEqual(fire("/a", EventType.NodeDeleted), ["NodeDeleted /a"]);
});

test("a persistent watch hears everything about its node and nothing below it", () => {
  const { table, ear, fire } = setup();
  table.addPersistent("/a", ear, AddWatchMode.PERSISTENT);
  table.addData("/a", ear);
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(fire("/a", EventType.NodeCreated), ["NodeCreated /a"]);
    assert.deepEqual(fire("/a", EventType.NodeChildrenChanged), ["NodeChildrenChanged /a"]);
    assert.deepEqual(fire("/a", EventType.NodeDeleted), ["NodeDeleted /a"]);
    assert.deepEqual(fire("/a/b", EventType.NodeCreated), []);
  }
  assert.equal(table.size, 2);
});

test("a recursive watch hears of all descendants, but never that children changed", () => {
  const { table, ear, fire } = setup();
  table.addPersistent("/a", ear, AddWatchMode.PERSISTENT_RECURSIVE);
  assert.deepEqual(fire("/a", EventType.NodeDataChanged), ["NodeDataChanged /a"]);
  assert.deepEqual(fire("/a/b/c", EventType.NodeCreated), ["NodeCreated /a/b/c"]);
  assert.deepEqual(fire("/a/b/c", EventType.NodeDeleted), ["NodeDeleted /a/b/c"]);
  assert.deepEqual(fire("/a", EventType.NodeChildrenChanged), []);
  assert.deepEqual(fire("/ab", EventType.NodeCreated), []);
  table.addData("/a/b", ear);
  assert.deepEqual(fire("/a/b", EventType.NodeDataChanged), ["NodeDataChanged /a/b"], "once, though two watches match");
  table.addPersistent("/", ear, AddWatchMode.PERSISTENT_RECURSIVE);
  assert.deepEqual(fire("/z", EventType.NodeCreated), ["NodeCreated /z"]);
  assert.ok(table.remove("/", ear, WatcherType.PersistentRecursive));
  assert.deepEqual(fire("/z", EventType.NodeCreated), []);
});

test("the root is told of as /, whatever the tree calls it; who watches the empty path waits for nothing", () => {
  const { table, ear, fire } = setup();
  table.addChild("", ear);
  table.addChild("/", ear);
  assert.deepEqual(fire("", EventType.NodeChildrenChanged), ["NodeChildrenChanged /"]);
  table.addData("/", ear);
  assert.deepEqual(fire("", EventType.NodeDataChanged), ["NodeDataChanged /"]);
  assert.ok(table.has("", ear, WatcherType.Children));
});

test("has and remove by type of watcher", () => {
  const types = Object.entries(WatcherType);
  const armed: Record<string, (table: WatchTable, ear: Ear) => void> = {
    Children: (table, ear) => table.addChild("/a", ear),
    Data: (table, ear) => table.addData("/a", ear),
    Persistent: (table, ear) => table.addPersistent("/a", ear, AddWatchMode.PERSISTENT),
    PersistentRecursive: (table, ear) => table.addPersistent("/a", ear, AddWatchMode.PERSISTENT_RECURSIVE),
  };
  for (const [kind, arm] of Object.entries(armed)) {
    for (const [asked, type] of types) {
      const { table, ear } = setup();
      arm(table, ear);
      const expected = asked === kind || asked === "Any";
      assert.equal(table.has("/a", ear, type), expected, `has ${asked} when ${kind}`);
      assert.equal(table.has("/b", ear, type), false);
      assert.equal(table.remove("/a", new Ear(2), type), false);
      assert.equal(table.remove("/a", ear, type), expected, `remove ${asked} when ${kind}`);
      assert.equal(table.isEmpty, expected);
    }
  }
});

test("a closed connection leaves nothing behind, and nobody else is disturbed", () => {
  const { table, ear, fire } = setup();
  const other = new Ear(2);
  for (const watcher of [ear, other]) {
    table.addData("/a", watcher);
    table.addChild(`/${watcher.id}`, watcher);
    table.addPersistent("/a", watcher, AddWatchMode.PERSISTENT_RECURSIVE);
  }
  table.removeWatcher(other);
  assert.equal(table.size, 2);
  assert.deepEqual(
    [...table.data.byPath()].map(([path, who]) => [path, [...who].map((w) => w.id)]),
    [["/a", [1]]],
  );
  assert.deepEqual(
    [...table.data.byWatcher()].map(([who, paths]) => [who.id, [...paths]]),
    [[1, ["/a"]]],
  );
  assert.deepEqual(fire("/a/b", EventType.NodeCreated), ["NodeCreated /a/b"]);
  table.removeWatcher(ear);
  assert.ok(table.isEmpty);
  assert.deepEqual(fire("/a/b", EventType.NodeCreated), []);
  assert.deepEqual(other.take(), []);
});

test("a watcher that goes away while it hears an event disturbs nobody", () => {
  const table = new WatchTable();
  const ear = new Ear(2);
  const leaver: Watcher = { id: 1, process: () => table.removeWatcher(leaver) };
  for (const watcher of [leaver, ear]) table.addPersistent("/a", watcher, AddWatchMode.PERSISTENT);
  table.trigger("/a", EventType.NodeDataChanged, 1, -1);
  assert.deepEqual(ear.take(), ["NodeDataChanged /a"]);
  assert.equal(table.data.watcherCount, 1);
});

test("all watchers of one event share it, so that its packet is serialised once", () => {
  const table = new WatchTable();
  const events = new Set<WatchEvent>();
  for (let id = 0; id < 3; id++) table.addData("/a", { id, process: (event) => events.add(event) });
  assert.equal(table.trigger("/a", EventType.NodeDataChanged, 9, 4), 3);
  assert.deepEqual([...events], [{ type: EventType.NodeDataChanged, path: "/a", zxid: 9, aclId: 4 }]);
});
