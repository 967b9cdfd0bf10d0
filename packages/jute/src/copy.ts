/** Bytes in memory of their own. (`bytes.slice` would not do: that of Node.js's Buffer is a window on the old memory.) */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}
