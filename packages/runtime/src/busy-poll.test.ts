import assert from "node:assert/strict";
import { test } from "node:test";
import { BusyPoll } from "./busy-poll.ts";

const FOR_MS = 0.15;

/** An event loop whose turns take 3 µs when nothing happens. */
class Loop {
  nowMs = 0;
  looks = 0;
  waiting: (() => void) | null = null;
  readonly poll = new BusyPoll({
    forMs: FOR_MS,
    now: () => this.nowMs,
    defer: (callback) => {
      this.waiting = callback;
    },
  });

  turn(tookMs = 0.003): void {
    this.nowMs += tookMs;
    const { waiting } = this;
    this.waiting = null;
    if (waiting === null) return;
    this.looks++;
    waiting();
  }

  /** Input comes at this interval, so many times. */
  inputs(count: number, gapMs: number): void {
    for (let i = 0; i < count; i++) {
      const atMs = this.nowMs + gapMs;
      while (this.nowMs < atMs) this.turn();
      this.poll.input();
    }
  }
}

test("one request after another is looked for, and for a moment after the last", () => {
  const loop = new Loop();
  loop.inputs(50, 0.06);
  loop.looks = 0;
  loop.inputs(100, 0.06);
  assert.ok(loop.looks > 100 * 15, `${loop.looks} looks`);
  loop.looks = 0;
  for (let i = 0; i < 1000; i++) loop.turn();
  assert.ok(loop.looks > 40 && loop.looks <= 51, `${loop.looks} looks`);
  assert.equal(loop.waiting, null);
});

test("slow requests cost nothing", () => {
  const loop = new Loop();
  loop.inputs(200, 1);
  assert.equal(loop.looks, 0);
  loop.inputs(50, 0.06);
  loop.inputs(20, 1);
  loop.looks = 0;
  loop.inputs(200, 1);
  assert.equal(loop.looks, 0);
});

test("a processor that somebody else wants is left to them for a second", () => {
  const loop = new Loop();
  loop.inputs(50, 0.06);
  assert.notEqual(loop.waiting, null);
  loop.turn();
  loop.turn(2);
  loop.looks = 0;
  loop.inputs(1000, 0.06);
  assert.equal(loop.looks, 0);
  loop.inputs(20_000, 0.06);
  assert.ok(loop.looks > 0);
});

test("a turn that was long because it had work is no sign of others", () => {
  const loop = new Loop();
  loop.inputs(50, 0.06);
  loop.poll.input();
  loop.nowMs += 5;
  loop.poll.input();
  loop.turn();
  assert.notEqual(loop.waiting, null);
});

test("a process that is not let run looks less and less often", () => {
  const loop = new Loop();
  const pausesMs: number[] = [];
  for (let i = 0; i < 9; i++) {
    while (loop.waiting === null) loop.inputs(1, 0.06);
    loop.turn();
    loop.turn(50);
    const sinceMs = loop.nowMs;
    while (loop.waiting === null) {
      loop.nowMs += 500;
      loop.inputs(30, 0.06);
    }
    pausesMs.push(Math.round((loop.nowMs - sinceMs) / 1000) * 1000);
  }
  assert.deepEqual(pausesMs.slice(1), [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});
