import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "@vivarium/runtime";
import fc from "fast-check";
import { Gate } from "./gate.ts";

function gateWith(): {
  clock: VirtualClock;
  gate: Gate;
  done: string[];
  pass: (name: string, delayMs?: number) => void;
} {
  const clock = new VirtualClock();
  const gate = new Gate(clock);
  const done: string[] = [];
  const pass = (name: string, delayMs?: number): void =>
    gate.pass(() => done.push(`${name} at ${clock.monotonicMs()}`), delayMs);
  return { clock, gate, done, pass };
}

test("an open gate lets pass at once, a delayed action later, and what follows it not before it", () => {
  const { clock, done, pass } = gateWith();
  pass("a");
  pass("b", 10);
  pass("c");
  assert.deepEqual(done, ["a at 0"]);
  clock.advance(10);
  assert.deepEqual(done, ["a at 0", "b at 10", "c at 10"]);
});

test("a shut gate lets nothing pass, and all that is due when it opens", () => {
  const { clock, gate, done, pass } = gateWith();
  gate.shut();
  pass("a");
  pass("b", 50);
  clock.advance(20);
  assert.deepEqual(done, []);
  gate.open();
  clock.advance(20);
  assert.deepEqual(done, ["a at 20"]);
  clock.advance(20);
  assert.deepEqual(done, ["a at 20", "b at 50"]);
  assert.equal(gate.isBusy, false);
});

test("hurry does now what waits, clear does it never", () => {
  const { clock, gate, done, pass } = gateWith();
  pass("a", 1000);
  gate.shut();
  pass("b");
  gate.hurry();
  assert.deepEqual(done, ["a at 0", "b at 0"]);
  pass("c", 5);
  gate.clear();
  clock.advance(100);
  assert.equal(done.length, 2);
  assert.equal(clock.nextDueMs(), null);
});

test("whatever is ordered, the order is kept and nothing happens early or twice", () => {
  const step = fc.oneof(
    fc.record({ pass: fc.integer({ min: 0, max: 30 }) }),
    fc.record({ advance: fc.integer({ min: 0, max: 20 }) }),
    fc.constant("shut" as const),
    fc.constant("open" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const clock = new VirtualClock();
      const gate = new Gate(clock);
      const done: number[] = [];
      let asked = 0;
      for (const each of steps) {
        if (each === "shut") gate.shut();
        else if (each === "open") gate.open();
        else if ("advance" in each) clock.advance(each.advance);
        else {
          const number = asked++;
          const earliestMs = clock.monotonicMs() + each.pass;
          gate.pass(() => {
            assert.ok(clock.monotonicMs() >= earliestMs);
            done.push(number);
          }, each.pass);
        }
      }
      gate.open();
      clock.advance(1000);
      assert.deepEqual(
        done,
        done.map((_, index) => index),
      );
      assert.equal(done.length, asked);
    }),
  );
});
