import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "@vivarium/protocol";
import { SessionTracker } from "./session-tracker.ts";

const tickTimeMs = 1000;
const make = () => new SessionTracker({ tickTimeMs, firstId: 0x1000n });

for (const { name, timeoutMs, touchedMs, aliveAtMs, goneByMs } of [
  { name: "never touched", timeoutMs: 4000, touchedMs: [], aliveAtMs: 4000, goneByMs: 5000 },
  { name: "created between ticks", timeoutMs: 4500, touchedMs: [], aliveAtMs: 4500, goneByMs: 5500 },
  { name: "touched once", timeoutMs: 4000, touchedMs: [3500], aliveAtMs: 7500, goneByMs: 8500 },
  { name: "touched often", timeoutMs: 2000, touchedMs: [500, 1500, 2500, 3500], aliveAtMs: 5500, goneByMs: 6500 },
]) {
  test(`a session expires between its timeout and one tick more after its last sign of life: ${name}`, () => {
    const tracker = make();
    const session = tracker.track(tracker.newId(), timeoutMs, 0);
    for (const ms of touchedMs) tracker.touch(session, timeoutMs, ms);
    assert.deepEqual(tracker.expire(aliveAtMs, 10), []);
    assert.deepEqual(tracker.expire(goneByMs, 10), [session]);
    assert.deepEqual(tracker.expire(goneByMs + 60_000, 10), [], "a session expires once");
  });
}

test("a closing session stays known, cannot be touched back to life, and answers SESSIONEXPIRED", () => {
  const tracker = make();
  const session = tracker.track(tracker.newId(), 4000, 0);
  tracker.setClosing(session.id);
  assert.equal(tracker.touch(session, 4000, 100), false);
  assert.equal(tracker.check(session.id, null), ErrorCode.SESSIONEXPIRED);
  assert.equal(tracker.size, 1);
  tracker.remove(session.id);
  assert.equal(tracker.size, 0);
});

test("the first owner that asks has the session; another is told that it moved", () => {
  const tracker = make();
  const { id } = tracker.track(tracker.newId(), 4000, 0);
  const [first, second] = [{}, {}];
  assert.equal(tracker.check(id, first), ErrorCode.OK);
  assert.equal(tracker.check(id, first), ErrorCode.OK);
  assert.equal(tracker.check(id, second), ErrorCode.SESSIONMOVED);
  assert.equal(tracker.check(id, null), ErrorCode.OK, "the server itself may always act for a session");
  assert.equal(tracker.check(0x9999n, first), ErrorCode.SESSIONEXPIRED);
});

test("ids go up by one from the first", () => {
  const tracker = make();
  assert.deepEqual([tracker.newId(), tracker.newId()], [0x1000n, 0x1001n]);
});

test("many sessions that are due together come out in slices", () => {
  const tracker = make();
  for (let i = 0; i < 25; i++) tracker.track(tracker.newId(), 1000, 0);
  const sizes = [tracker.expire(3000, 10), tracker.expire(3000, 10), tracker.expire(3000, 10)].map((s) => s.length);
  assert.deepEqual(sizes, [10, 10, 5]);
});
