import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "@vivarium/runtime";
import { TurnBudget } from "./turn-budget.ts";

/** A clock on which work takes as long as the test says, within one turn. */
class Workday extends VirtualClock {
  workedMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.workedMs;
  }
}

function given() {
  const clock = new Workday();
  const budget = new TurnBudget(clock);
  /** Whether there was time for it. */
  const work = (ms: number): boolean => {
    const isWelcome = budget.begin(clock.monotonicMs());
    clock.workedMs += ms;
    budget.end();
    return isWelcome;
  };
  return { clock, budget, work };
}

test("pieces of work share the time of one turn, and the next turn has its own", () => {
  const { clock, work } = given();
  assert.deepEqual([work(1.5), work(1.5), work(1.5), work(0)], [true, true, true, false]);
  clock.advance(0);
  assert.equal(work(1), true);
});

test("what is read between the pieces of a turn with much to do counts too", () => {
  const { clock, work } = given();
  assert.equal(work(1), true);
  clock.workedMs += 3;
  assert.equal(work(0), false);
});

test("long work can ask whether it is over", () => {
  const { clock, budget } = given();
  budget.begin(clock.monotonicMs());
  clock.workedMs += 3.5;
  assert.equal(budget.isOver(), false);
  clock.workedMs += 1;
  assert.equal(budget.isOver(), true);
});

test("quiet turns ask the clock for nothing", () => {
  const { clock, work } = given();
  for (let i = 0; i < 9; i++) {
    assert.equal(work(0.1), true);
    assert.equal(clock.nextDueMs(), null);
  }
});

test("work that was put off has a share of its own", () => {
  const { clock, budget, work } = given();
  work(10);
  budget.beginShare(clock.monotonicMs());
  assert.equal(budget.isOver(), false);
  clock.workedMs += 3;
  assert.equal(budget.isOver(), true);
});
