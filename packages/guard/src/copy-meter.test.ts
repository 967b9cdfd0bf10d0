import assert from "node:assert/strict";
import { test } from "node:test";
import { CopyMeter } from "./copy-meter.ts";

const from = new Uint8Array(100);
const to = new Uint8Array(200);
const wide = new Float64Array(4);

const table: readonly [title: string, copies: () => unknown, bytes: number][] = [
  ["set of an array of bytes", () => to.set(from, 3), 100],
  ["set of an array of wider elements", () => wide.set([1, 2, 3]), 24],
  ["slice", () => from.slice(10, 30), 20],
  ["copyWithin to the end", () => from.copyWithin(0, 40), 60],
  ["copyWithin of a part", () => from.copyWithin(0, 40, 45), 5],
  ["slice of the buffer", () => from.buffer.slice(0, 7), 7],
  ["copy of a Buffer", () => Buffer.from(from.buffer).copy(to, 0, 0, 33), 33],
  ["concat", () => Buffer.concat([from, from]), 200],
  ["a Buffer of bytes", () => Buffer.from(from), 100],
  ["an array made of another", () => new Uint8Array(from), 100],
  ["no copy: a window", () => from.subarray(1, 9), 0],
  ["no copy: a window of Buffer", () => Buffer.from(from.buffer).subarray(1, 9), 0],
  ["no copy: new memory", () => new Uint8Array(50), 0],
  ["no copy: a Buffer of a string", () => Buffer.from("abc"), 0],
];

for (const [title, copies, bytes] of table) {
  test(`${title} counts as ${bytes} bytes copied`, () => {
    const meter = new CopyMeter();
    meter.start();
    copies();
    meter.without(copies);
    meter.stop();
    copies();
    assert.equal(meter.bytes, bytes);
  });
}
