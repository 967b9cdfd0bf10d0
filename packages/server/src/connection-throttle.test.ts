import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionThrottle, type ConnectionThrottleOptions } from "./connection-throttle.ts";

const defaults: ConnectionThrottleOptions = {
  tokens: 0,
  fillTimeMs: 1,
  fillCount: 1,
  freezeTimeMs: -1,
  dropIncrease: 0.02,
  dropDecrease: 0.002,
  decreaseRatio: 0,
  weightEnabled: false,
  globalSessionWeight: 3,
  renewSessionWeight: 2,
  localSessionWeight: 1,
};
const never = () => 1;

test("without tokens there is no throttle", () => {
  const throttle = new ConnectionThrottle(defaults, 0, never);
  for (let i = 0; i < 1000; i++) assert.ok(throttle.admit("global", 0));
});

test("the bucket empties, refills with time and never beyond its size", () => {
  const throttle = new ConnectionThrottle({ ...defaults, tokens: 2, fillTimeMs: 10 }, 0, never);
  const admitted = [0, 0, 0, 10, 11, 11, 1000, 1000, 1000].map((ms) => throttle.admit("global", ms));
  assert.deepEqual(admitted, [true, true, false, false, true, false, true, true, false]);
});

test("weights make a new session dearer than a renewed one", () => {
  const options = { ...defaults, tokens: 2, weightEnabled: true };
  const renewals = new ConnectionThrottle(options, 0, never);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => renewals.admit("renew", 0)),
    [true, true, true, false],
  );
  const creations = new ConnectionThrottle(options, 0, never);
  assert.deepEqual(
    [1, 2, 3].map(() => creations.admit("global", 0)),
    [true, true, false],
  );
});

test("an empty bucket raises the drop probability step by step, a full one lowers it", () => {
  const options = { ...defaults, tokens: 1, freezeTimeMs: 5, dropIncrease: 0.5, dropDecrease: 0.25, fillTimeMs: 100 };
  const throttle = new ConnectionThrottle(options, 0, never);
  assert.ok(throttle.admit("global", 0));
  const drops = [6, 12, 18, 500, 1000].map((ms) => {
    throttle.admit("local", ms);
    return throttle.drop;
  });
  assert.deepEqual(drops, [0.5, 1, 1, 0.75, 0.5]);
});

test("the drop probability decides before tokens do", () => {
  const options = { ...defaults, tokens: 1, freezeTimeMs: 5, dropIncrease: 0.5, fillTimeMs: 100 };
  let chance = 0.9;
  const throttle = new ConnectionThrottle(options, 0, () => chance);
  throttle.admit("global", 0);
  throttle.admit("global", 6);
  chance = 0.4;
  assert.equal(throttle.admit("global", 110), false);
  chance = 0.6;
  assert.equal(throttle.admit("global", 111), true);
});
