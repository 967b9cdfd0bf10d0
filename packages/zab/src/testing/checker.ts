/** What must hold whatever happens: the safety properties of Zab, checked on everything that servers serve. */
import { strict as assert } from "node:assert";
import type { LogEntry } from "../committed-log.ts";

export class Checker {
  /** The one history: whatever anybody served, in order. */
  readonly committed: LogEntry[] = [];
  readonly #leaders = new Map<number, number>();

  /** Leadership: one leader per epoch; and it has all that was ever served. */
  activated(id: number, epoch: number, tree: readonly LogEntry[]): void {
    const other = this.#leaders.get(epoch);
    assert.ok(other === undefined, `epoch ${epoch} has leaders ${other} and ${id}`);
    this.#leaders.set(epoch, id);
    assert.ok(tree.length >= this.committed.length, `leader ${id} lacks what was committed`);
    this.serves(id, tree);
  }

  /** Agreement: all that is served is one history. */
  serves(id: number, tree: readonly LogEntry[]): void {
    for (let index = 0; index < tree.length; index++) this.delivered(id, tree, index);
  }

  delivered(id: number, tree: readonly LogEntry[], index: number): void {
    const entry = tree[index] as LogEntry;
    const known = this.committed[index];
    if (known === undefined) this.committed.push(entry);
    else {
      assert.equal(entry.zxid, known.zxid, `server ${id} has another history at ${index}`);
      assert.deepEqual(entry.entry, known.entry, `server ${id} has another transaction ${entry.zxid}`);
    }
  }
}
