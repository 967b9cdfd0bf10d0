import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@vivarium/runtime";
import { Backoff } from "./backoff.ts";
import { HostList } from "./host-list.ts";

const hosts = (...names: string[]) => names.map((host) => ({ host, port: 2181 }));

test("a round tries every server once, in an order of the client's own", () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const list = new HostList(new SeededRandom(seed));
    list.update(hosts("a", "b", "c"));
    const order = [list.next()?.host, list.next()?.host, list.next()?.host];
    assert.ok(list.roundIsOver);
    assert.deepEqual([...order].sort(), ["a", "b", "c"]);
    orders.add(order.join(""));
  }
  assert.equal(orders.size, 6);
});

/** Where clients are, after they were spread evenly over `before` and told of `after`. */
function spread(before: string[], after: string[]): Map<string, number> {
  const counts = new Map(after.map((name) => [name, 0]));
  const total = 12_000;
  for (let client = 0; client < total; client++) {
    const list = new HostList(new SeededRandom(client));
    list.update(hosts(...before));
    let at = list.next()?.host as string;
    if (list.update(hosts(...after))) at = list.next()?.host as string;
    counts.set(at, (counts.get(at) ?? 0) + 1 / total);
  }
  return counts;
}

const changes: [before: string[], after: string[]][] = [
  [
    ["a", "b", "c"],
    ["a", "b", "c", "d", "e"],
  ],
  [
    ["a", "b", "c", "d", "e"],
    ["a", "b", "c"],
  ],
  [
    ["a", "b", "c"],
    ["c", "d", "e"],
  ],
  [
    ["a", "b"],
    ["c", "d"],
  ],
  [["a"], ["a", "b"]],
];
for (const [before, after] of changes) {
  test(`from ${before.join()} to ${after.join()}, clients end up evenly spread`, () => {
    for (const [name, share] of spread(before, after)) {
      assert.ok(Math.abs(share - 1 / after.length) < 0.03, `${name} has ${share}`);
    }
  });
}

test("a list that only loses others moves nobody", () => {
  const list = new HostList(new SeededRandom(1));
  list.update(hosts("a", "b", "c"));
  const current = list.next()?.host as string;
  assert.equal(list.update(hosts(current)), false);
});

test("waits double up to the limit, with jitter, and are never nothing", () => {
  const backoff = new Backoff(new SeededRandom(1), { firstMs: 100, maxMs: 1000 });
  const waits = Array.from({ length: 8 }, () => backoff.nextMs());
  for (const [i, wait] of waits.entries()) {
    const limit = Math.min(1000, 100 * 2 ** i);
    assert.ok(wait >= limit / 2 && wait <= limit + 1, `${wait} of ${limit}`);
  }
  backoff.reset();
  assert.ok(backoff.nextMs() <= 101);
});
