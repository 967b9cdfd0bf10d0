import assert from "node:assert/strict";
import { test } from "node:test";
import { elapse, within } from "./elapse.ts";

test("waiting ends at once when somebody wants to stop", async () => {
  const stop = new AbortController();
  const waiting = elapse(60_000, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(elapse(60_000, stop.signal), /enough/);
});

test("a promise is waited for so long and no longer", async () => {
  const { signal } = new AbortController();
  assert.equal(await within(60_000, "this", signal, Promise.resolve(7)), 7);
  await assert.rejects(within(20, "this", signal, new Promise(() => {})), /this took more than 0.02 s/);
});
