/** What every Random must do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "../random.ts";

export function randomContract(name: string, make: () => Random): void {
  test(`${name}: int stays below its limit and reaches all of it`, () => {
    const random = make();
    const seen = new Set<number>();
    for (let i = 0; i < 2000; i++) seen.add(random.int(7));
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6],
    );
    assert.equal(random.int(1), 0);
    assert.throws(() => random.int(0), RangeError);
    let high = 0;
    for (let i = 0; i < 200; i++) high = Math.max(high, random.int(0x1_0000_0000));
    assert.ok(high > 0x8000_0000 && high < 0x1_0000_0000);
  });

  test(`${name}: bytes are as many as asked for and not all alike`, () => {
    const random = make();
    assert.equal(random.bytes(0).length, 0);
    const bytes = random.bytes(1000);
    assert.equal(bytes.length, 1000);
    assert.ok(new Set(bytes).size > 200);
    assert.notDeepEqual(bytes, random.bytes(1000));
  });
}
