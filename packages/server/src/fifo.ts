/** A first-in first-out queue whose ends cost the same however long it is. */

/** Memory for more items than this is given back when the queue is empty. */
const KEPT_ITEMS = 64;

export class Fifo<T> {
  /** What is queued is items[#head, #tail); the slots around it are free. */
  #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(item: T): void {
    this.#items[this.#tail++] = item;
  }

  peek(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#tail) this.#rewind();
    else if (this.#head > 1024 && this.#head * 2 > this.#tail) {
      this.#items = this.#items.slice(this.#head, this.#tail);
      this.#tail -= this.#head;
      this.#head = 0;
    }
    return item;
  }

  #rewind(): void {
    this.#head = 0;
    this.#tail = 0;
    if (this.#items.length > KEPT_ITEMS) this.#items = [];
  }

  /** A copy, oldest first. */
  toArray(): T[] {
    return this.#items.slice(this.#head, this.#tail) as T[];
  }

  clear(): void {
    this.#items = [];
    this.#rewind();
  }
}
