import assert from "node:assert/strict";
import { test } from "node:test";
import { drawPlot, linesOf, plots } from "./plots.ts";
import { results } from "./testing/results.ts";

test("of several turns the last one is drawn", () => {
  assert.deepEqual(
    linesOf(results, "memory").map(({ role, points }) => [role, points[0]?.[1]]),
    [
      ["ours", 51],
      ["theirs", 200],
    ],
  );
});

/** All texts of an SVG document. */
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

test("a plot names both servers, both axes with their units, and the ticks", () => {
  const drawn = new Map(plots.map((plot) => [plot.name, drawPlot(plot, results)]));
  assert.equal(drawn.get("window"), undefined);
  const memory = textsOf(drawn.get("memory") ?? "");
  for (const text of ["Vivarium", "Apache 3.9.5", "znodes", "resident memory, MB", "1 k", "300"]) {
    assert.ok(memory.includes(text), `${text} in ${memory}`);
  }
  const latency = textsOf(drawn.get("latency") ?? "");
  for (const text of ["Vivarium, reads", "Vivarium, writes", "latency, ms", "90 %", "99 %"]) {
    assert.ok(latency.includes(text), `${text} in ${latency}`);
  }
});

test("a plot is a whole document without scripts", () => {
  const plot = plots.find(({ name }) => name === "memory");
  assert.ok(plot !== undefined);
  const svg = drawPlot(plot, results) ?? "";
  assert.match(svg, /^<svg .*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /<\/svg>\s*$/);
  assert.doesNotMatch(svg, /<script|NaN|undefined/);
});
