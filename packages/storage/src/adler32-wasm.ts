/**
 * The inner loop of Adler-32, sixteen bytes at a step, as a WebAssembly function that is assembled here from its
 * instructions: several times as fast as the loop in adler32.ts, which takes what is left over and all where there is
 * no WebAssembly.
 *
 *   block(n, adler) → adler        continued over the first n bytes of its memory
 *
 * For each 16 bytes d: prior += s1;  s1 += Σ d;  s2 += Σ weight × d, with the weights 16 … 1. In the end a' = a + s1 and
 * b' = b + n·a + 16·prior + s2; n is a multiple of 16 and small enough for all of it to fit an unsigned 32-bit integer.
 */

/** The most bytes that one call may take: a multiple of 16, at which the second sum stays below 2³². */
export const BLOCK_BYTES = 5552;

const MODULUS = 65521;

interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  block(n: number, adler: number): number;
}

export interface AdlerBlock {
  /** Where the bytes lie that `sum` takes. */
  readonly memory: Uint8Array;
  /** @param n a multiple of 16, from 16 to {@link BLOCK_BYTES} */
  sum(n: number, adler: number): number;
}

// The instructions that are used, by their numbers in the WebAssembly specification.
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const int = (value: number) => [0x41, ...signedLeb(value)];
const add = 0x6a;
const mul = 0x6c;
const remainder = 0x70;
const and = 0x71;
const or = 0x72;
const shiftLeft = 0x74;
const shiftRight = 0x76;
const lessThan = 0x49;
const vectorLoad = [0xfd, 0x00, 0, 0];
const vectorConst = (bytes: readonly number[]) => [0xfd, 0x0c, ...bytes];
const lane = (index: number) => [0xfd, 0x1b, index];
const vectorAdd = [0xfd, 0xae, 0x01];
/** Neighbours added up: sixteen bytes to eight sums, and those to four. */
const addPairs = [0xfd, 0x7d, 0xfd, 0x7f];
const lowerHalf = [0xfd, 0x89, 0x01];
const upperHalf = [0xfd, 0x8a, 0x01];
const dotProduct = [0xfd, 0xba, 0x01];

// The function's parameters, n and adler, and its locals.
const N = 0;
const ADLER = 1;
const AT = 2;
const A = 3;
const D = 4;
const S1 = 5;
const S2 = 6;
const PRIOR = 7;

const step = [
  ...[...get(PRIOR), ...get(S1), ...vectorAdd, ...set(PRIOR)],
  ...[...get(AT), ...vectorLoad, ...tee(D), ...addPairs, ...get(S1), ...vectorAdd, ...set(S1)],
  ...[...get(D), ...lowerHalf, ...vectorConst(weightsFrom(16)), ...dotProduct, ...get(S2), ...vectorAdd],
  ...[...get(D), ...upperHalf, ...vectorConst(weightsFrom(8)), ...dotProduct, ...vectorAdd, ...set(S2)],
  ...[...get(AT), ...int(16), add, ...tee(AT), ...get(N), lessThan],
];

const result = [
  // b' = (b + n·a + 16·Σ prior + Σ s2) mod 65521, in the upper half
  ...[...get(ADLER), ...int(16), shiftRight, ...get(ADLER), ...int(0xffff), and, ...tee(A), ...get(N), mul, add],
  ...[...sumOf(PRIOR), ...int(16), mul, add, ...sumOf(S2), add, ...int(MODULUS), remainder, ...int(16), shiftLeft],
  // a' = (a + Σ s1) mod 65521, in the lower
  ...[...get(A), ...sumOf(S1), add, ...int(MODULUS), remainder, or],
];

const I32 = 0x7f;
const V128 = 0x7b;
const locals = [2, 2, I32, 4, V128];
const loop = [0x03, 0x40, ...step, 0x0d, 0, 0x0b];
const body = [...locals, ...loop, ...result, 0x0b];

const moduleBytes = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 2, I32, I32, 1, I32]),
  ...section(3, [1, 0]),
  ...section(5, [1, 0x01, 1, 1]),
  ...section(7, [2, ...name("memory"), 0x02, 0, ...name("block"), 0x00, 0]),
  ...section(10, [1, ...leb(body.length), ...body]),
]);

// What the platform has of it; the compiler's libraries for Node.js do not declare it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** Undefined where the platform has no WebAssembly, or none with vectors. */
export function adlerBlock(): AdlerBlock | undefined {
  try {
    const { memory, block } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes)).exports as WasmExports;
    return { memory: new Uint8Array(memory.buffer), sum: block };
  } catch {
    return undefined;
  }
}

/** Eight 16-bit weights, counting down. */
function weightsFrom(first: number): number[] {
  return Array.from({ length: 8 }, (_, i) => [first - i, 0]).flat();
}

/** The four lanes of a vector, added up. */
function sumOf(vector: number): number[] {
  const [first, ...others] = [0, 1, 2, 3].map((index) => [...get(vector), ...lane(index)]);
  return [...(first as number[]), ...others.flatMap((code) => [...code, add])];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];
}

/** An unsigned LEB128 integer. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** A signed one, of a value that is not negative. */
function signedLeb(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signedLeb(value >>> 7)];
}
