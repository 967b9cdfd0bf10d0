/** Operations drawn from one seed: mostly ones that succeed on the present state, now and then one that must be refused. */
import type { SeededRandom } from "@vivarium/runtime";
import type { Model } from "./model.ts";
import type { Action, Change } from "./operation.ts";

const MAX_NODES = 120;
const NAMES = 12;
const MAX_DEPTH = 4;
const MAX_CHANGES = 6;

export class Generator {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** True once in `times` on average. */
  oneIn(times: number): boolean {
    return this.#random.int(times) === 0;
  }

  action(model: Model): Action {
    if (this.oneIn(300)) return { kind: "closeSession" };
    if (!this.oneIn(6)) return this.#change(model, false);
    const changes = Array.from({ length: this.#random.int(MAX_CHANGES) + 1 }, () => this.#change(model, true));
    return { kind: "multi", changes };
  }

  #change(model: Model, insideMulti: boolean): Change {
    const paths = [...model.nodes.keys()];
    const draw = this.#random.int(10);
    if (insideMulti && draw === 0) return { kind: "check", path: this.#pick(paths), version: -1 };
    if (draw < 4) return this.#setData(model, this.#pick(paths));
    if (draw < 6 || paths.length > MAX_NODES) return this.#delete(model, paths);
    return this.#create(paths);
  }

  #create(paths: string[]): Change {
    const parents = paths.filter((path) => path.split("/").length <= MAX_DEPTH);
    const sequential = this.oneIn(3);
    const name = sequential ? "seq-" : `n${this.#random.int(NAMES)}`;
    return {
      kind: "create",
      path: `${this.#pick(parents)}/${name}`,
      data: this.#data(),
      ephemeral: this.oneIn(3),
      sequential,
      withStat: this.oneIn(2),
    };
  }

  #setData(model: Model, path: string): Change {
    return { kind: "setData", path, data: this.#data(), version: this.#version(model, path) };
  }

  /** Deletes a leaf; sometimes what has children, or what is not there. */
  #delete(model: Model, paths: string[]): Change {
    const candidates = Array.from({ length: 4 }, () => this.#pick(paths));
    const leaf = candidates.find((path) => model.nodes.get(path)?.children.size === 0 && path !== model.root);
    const path = this.oneIn(10) || leaf === undefined ? `${this.#pick(paths)}/n${this.#random.int(NAMES)}` : leaf;
    return { kind: "delete", path, version: this.#version(model, path) };
  }

  /** Any, the right one, or rarely a wrong one. */
  #version(model: Model, path: string): number {
    if (this.oneIn(2)) return -1;
    return (model.nodes.get(path)?.version ?? 0) + (this.oneIn(12) ? 1 : 0);
  }

  /** Mostly small; sometimes large enough to fill a preallocated log quickly. */
  #data(): Uint8Array {
    const size = this.oneIn(40) ? this.#random.int(20_000) : this.#random.int(200);
    return this.#random.bytes(size);
  }

  #pick<T>(items: T[]): T {
    return items[this.#random.int(items.length)] as T;
  }
}
