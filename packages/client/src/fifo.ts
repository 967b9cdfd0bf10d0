/** A queue in a ring that doubles when it is full, so that in steady state neither end allocates. */
const INITIAL_CAPACITY = 16;

export class Fifo<T> {
  /** Its length is a power of two. */
  #ring: (T | undefined)[] = new Array(INITIAL_CAPACITY);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#replace(this.toArray(), this.#ring.length * 2);
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item;
    this.#size++;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size--;
    return item;
  }

  toArray(): T[] {
    const items: T[] = [];
    for (let i = 0; i < this.#size; i++) items.push(this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T);
    return items;
  }

  /** Takes all items out, first to last. */
  drain(): T[] {
    const items = this.toArray();
    this.#replace([], INITIAL_CAPACITY);
    return items;
  }

  /** Puts items before all others, in their order. */
  unshiftAll(items: T[]): void {
    if (items.length === 0) return;
    const all = items.concat(this.toArray());
    let capacity = this.#ring.length;
    while (capacity < all.length) capacity *= 2;
    this.#replace(all, capacity);
  }

  /** Takes out one item wherever it is; false if it is not there. */
  remove(item: T): boolean {
    const items = this.toArray();
    const at = items.indexOf(item);
    if (at === -1) return false;
    items.splice(at, 1);
    this.#replace(items, this.#ring.length);
    return true;
  }

  #replace(items: T[], capacity: number): void {
    this.#size = items.length;
    this.#head = 0;
    this.#ring = items;
    this.#ring.length = capacity;
  }
}
