/**
 * Counts bytes copied from one piece of memory to another, by standing in the place of the functions that do it:
 * `set`, `slice` and `copyWithin` of typed arrays, `copy` and `concat` of Buffer, `slice` of ArrayBuffer, and typed arrays
 * made of others. For a process that does nothing else: while it is on, each of these is slower.
 *
 * Not seen: copies made byte by byte in JavaScript, as jute does for strings and other short pieces, what DataView writes,
 * and what Node.js does inside.
 */
type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A function to stand in for, where it is, and how many bytes a call of it copied. */
interface Copier {
  readonly owner: object;
  readonly name: string;
  bytes(args: readonly unknown[], result: unknown, self: unknown): number;
}

const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype);
const sizeOf = (value: unknown): number => (value as ArrayBufferView).byteLength;

const copiers: readonly Copier[] = [
  {
    owner: typedArray,
    name: "set",
    bytes: ([from], _, self) => (from as ArrayLike<unknown>).length * (self as Uint8Array).BYTES_PER_ELEMENT,
  },
  { owner: typedArray, name: "slice", bytes: (_, result) => sizeOf(result) },
  { owner: typedArray, name: "copyWithin", bytes: ([, from = 0, to], _, self) => copiedWithin(self, from, to) },
  { owner: ArrayBuffer.prototype, name: "slice", bytes: (_, result) => sizeOf(result) },
  { owner: Buffer.prototype, name: "copy", bytes: (_, result) => result as number },
  { owner: Buffer, name: "concat", bytes: (_, result) => sizeOf(result) },
  { owner: Buffer, name: "from", bytes: ([from], result) => (isCopied(from) ? sizeOf(result) : 0) },
];

const isCopied = (from: unknown): boolean => ArrayBuffer.isView(from) || Array.isArray(from);

function copiedWithin(self: unknown, from: unknown, to: unknown): number {
  const { length, BYTES_PER_ELEMENT } = self as Uint8Array;
  return Math.max(0, ((to as number | undefined) ?? length) - (from as number)) * BYTES_PER_ELEMENT;
}

export class CopyMeter {
  bytes = 0;
  #restore: (() => void)[] = [];
  #paused = false;

  start(): void {
    for (const copier of copiers) this.#replace(copier);
    this.#replaceUint8Array();
  }

  stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
  }

  /** What `act` copies is not counted: it is not the server that does it. */
  without<T>(act: () => T): T {
    const before = this.#paused;
    this.#paused = true;
    try {
      return act();
    } finally {
      this.#paused = before;
    }
  }

  #count(bytes: number): void {
    if (!this.#paused) this.bytes += bytes;
  }

  #replace({ owner, name, bytes }: Copier): void {
    const original = Reflect.get(owner, name) as Method;
    const meter = this;
    const standIn: Method = function (...args) {
      // What one of these does by means of another is counted once.
      const result = meter.without(() => original.apply(this, args));
      meter.#count(bytes(args, result, this));
      return result;
    };
    Reflect.set(owner, name, standIn);
    this.#restore.push(() => Reflect.set(owner, name, original));
  }

  #replaceUint8Array(): void {
    const original = globalThis.Uint8Array;
    const construct = (target: typeof Uint8Array, args: unknown[], newTarget: unknown): object => {
      const made: object = Reflect.construct(target, args, newTarget as typeof Uint8Array);
      if (isCopied(args[0])) this.#count(sizeOf(made));
      return made;
    };
    globalThis.Uint8Array = new Proxy(original, { construct });
    this.#restore.push(() => {
      globalThis.Uint8Array = original;
    });
  }
}
