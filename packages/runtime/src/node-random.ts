/** Randomness that nobody can guess. */
import { randomBytes, randomInt } from "node:crypto";
import type { Random } from "./random.ts";

export class NodeRandom implements Random {
  bytes(size: number): Uint8Array {
    return new Uint8Array(randomBytes(size));
  }

  int(below: number): number {
    return randomInt(below);
  }
}
