/**
 * The parent of the node that was loaded last. A snapshot has the children of a node one after another, so that the next
 * one's parent is mostly the same: comparing its path is all there is to do.
 */
import type { NodeId } from "./node-facts.ts";

const NONE = -1;

export class LastParent {
  id: NodeId = NONE;
  /** The state of the hash after its path, and the checksum of that. */
  hashState = 0;
  crc = 0;
  /** Whether its children are no part of the tree's digest. */
  hasUndigested = false;
  #path = new Uint8Array(256);
  #length = 0;

  isAt(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.id === NONE || end - start !== this.#length) return false;
    const path = this.#path;
    for (let i = start, j = 0; i < end; i++, j++) if (bytes[i] !== path[j]) return false;
    return true;
  }

  become(id: NodeId, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#path.length) this.#path = new Uint8Array(2 * length);
    for (let i = 0; i < length; i++) this.#path[i] = bytes[start + i] as number;
    this.#length = length;
    this.id = id;
  }

  /** It may be gone. */
  forget(): void {
    this.id = NONE;
  }
}
