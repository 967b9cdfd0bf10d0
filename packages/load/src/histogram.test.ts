import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "./histogram.ts";

const WIDTH = 1 / 64;

test("percentiles are those of the sorted values, at most a bucket above", () => {
  const latencies = fc.array(fc.nat({ max: 100_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
      const found = histogram.percentileUs(share);
      assert.ok(found >= exact && found <= exact * (1 + WIDTH) + 1, `${found} for ${exact}`);
      assert.equal(histogram.mostUs, sorted.at(-1));
    }),
  );
});

test("two histograms together are the histogram of all", () => {
  const [one, two, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (const value of [1, 70, 5000]) for (const histogram of [one, both]) histogram.add(value);
  for (const value of [2, 1e9]) for (const histogram of [two, both]) histogram.add(value);
  one.addAll(two);
  assert.deepEqual(one, both);
});

test("nothing and more than can be counted", () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentileUs(0.99), 0);
  histogram.add(-1);
  histogram.add(1e12);
  assert.equal(histogram.percentileUs(0.5), 0);
  assert.equal(histogram.percentileUs(1), 2 ** 31 - 1);
});
