/** Bytes in memory of their own. (`bytes.slice` would not do: that of Node.js's Buffer is a window on the old memory.) */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** Below this many bytes a loop is faster than `set`, which needs a window object. */
const LOOP_BYTES = 48;

/** Copies `length` bytes, from `start` in one array to `at` in another. */
export function copyBytes(from: Uint8Array, start: number, length: number, target: Uint8Array, at: number): void {
  if (length > LOOP_BYTES) {
    target.set(length === from.length ? from : from.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i++) target[at + i] = from[start + i] as number;
}
