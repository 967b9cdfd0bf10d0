/** What every Clock must do. `pass` lets so much of the clock's time go by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../clock.ts";

export function clockContract(name: string, make: () => { clock: Clock; pass: (ms: number) => Promise<void> }): void {
  test(`${name}: monotonic time goes on and never back`, async () => {
    const { clock, pass } = make();
    const before = clock.monotonicMs();
    await pass(5);
    assert.ok(clock.monotonicMs() >= before + 4);
    assert.ok(Number.isInteger(clock.wallMs()));
  });

  test(`${name}: timers run in the order they are due, never within setTimer`, async () => {
    const { clock, pass } = make();
    const ran: string[] = [];
    clock.setTimer(30, () => ran.push("later"));
    clock.setTimer(0, () => ran.push("now"));
    clock.setTimer(10, () => ran.push("soon"));
    clock.defer(() => ran.push("deferred"));
    assert.equal(ran.length, 0);
    await pass(60);
    assert.deepEqual([...ran].sort(), ["deferred", "later", "now", "soon"]);
    assert.deepEqual(ran.slice(-2), ["soon", "later"]);
  });

  test(`${name}: a cancelled timer does not run, and cancelling twice is harmless`, async () => {
    const { clock, pass } = make();
    let ran = 0;
    const timer = clock.setTimer(5, () => ran++);
    timer.cancel();
    timer.cancel();
    const done = clock.setTimer(1, () => ran++);
    await pass(20);
    done.cancel();
    assert.equal(ran, 1);
  });

  test(`${name}: a delay of a month is not taken for none`, async () => {
    const { clock, pass } = make();
    let ran = false;
    const timer = clock.setTimer(30 * 24 * 3600 * 1000, () => {
      ran = true;
    });
    await pass(10);
    timer.cancel();
    assert.equal(ran, false);
  });
}
