import assert from "node:assert/strict";
import { test } from "node:test";
import { Latency, LatencyDistribution } from "./latency.ts";

test("minimum, average and maximum of what was added since the last reset", () => {
  const latency = new Latency();
  assert.deepEqual([latency.minMs, latency.averageMs, latency.maxMs], [0, 0, 0]);
  for (const ms of [5, 1, 6]) latency.add(ms);
  assert.deepEqual([latency.minMs, latency.averageMs, latency.maxMs, latency.count], [1, 4, 6, 3]);
  latency.reset();
  assert.deepEqual([latency.minMs, latency.averageMs, latency.maxMs, latency.count], [0, 0, 0, 0]);
  latency.add(7);
  assert.equal(latency.minMs, 7);
});

test("percentiles are exact for small times and close for large ones", () => {
  const latency = new LatencyDistribution();
  assert.equal(latency.percentileMs(0.5), 0);
  for (let ms = 1; ms <= 100_000; ms++) latency.add(ms);
  for (const part of [0.0001, 0.0002, 0.5, 0.95, 0.99, 0.999, 1]) {
    const exact = part * 100_000;
    const found = latency.percentileMs(part);
    assert.ok(found >= exact && found <= exact * 1.04, `${part}: ${found}`);
  }
  latency.reset();
  assert.equal(latency.percentileMs(1), 0);
});

for (const ms of [0, 0.4, 1, 31, 32, 33, 63, 64, 65, 127, 128, 1023, 1024, 2 ** 31, 2 ** 32 - 1]) {
  test(`a single measurement of ${ms} ms is its own percentile`, () => {
    const latency = new LatencyDistribution();
    latency.add(ms);
    assert.equal(latency.percentileMs(0.5), Math.floor(ms));
  });
}
