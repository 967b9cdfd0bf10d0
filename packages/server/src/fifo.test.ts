import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fifo } from "./fifo.ts";

test("what goes in comes out in order, however long the queue gets in between", () => {
  const turn = fc.record({ pushes: fc.nat({ max: 3000 }), shifts: fc.nat({ max: 3000 }) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 20 }), (turns) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const { pushes, shifts } of turns) {
        for (let i = 0; i < pushes; i++) {
          fifo.push(next);
          model.push(next++);
        }
        assert.equal(fifo.peek(), model[0]);
        for (const expected of model.splice(0, shifts)) assert.equal(fifo.shift(), expected);
        assert.equal(fifo.length, model.length);
        if (model.length === 0) assert.equal(fifo.shift(), undefined);
      }
      assert.deepEqual(fifo.toArray(), model);
    }),
    { numRuns: 30 },
  );
});
