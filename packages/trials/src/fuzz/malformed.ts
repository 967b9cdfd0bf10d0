/**
 * Malformed input from a seed: every kind is a row with a name, the stage of a connection at which it is sent, and
 * bytes. What ends in the middle of a frame hangs: its connection stays open until another one takes its place.
 */
import { OpCode } from "@vivarium/protocol";
import type { SeededRandom } from "@vivarium/runtime";
import { framed, type Session } from "../raw-client.ts";
import { BAD_ROOT, connectRequest, validRequest } from "./valid-requests.ts";

/** "new" before the ConnectRequest, "open" after a good one. */
export type Stage = "new" | "open";

export interface Malformed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** More bytes are due that never come. */
  readonly hangs: boolean;
}

type Make = (random: SeededRandom) => Uint8Array;
type Kind = readonly [name: string, make: Make, hangs?: "hangs"];

const MAX_BUFFER = 0xfffff;
const NOBODY: Session = { id: 0n, password: new Uint8Array(16) };
const ODD_INTS = [-0x80000000, -2, -1, 0, 1, 0xffff, MAX_BUFFER, 0x7fffffff];
const ODD_XIDS = [-0x80000000, -100, -8, -4, -2, -1, 0, 0x7fffffff];
/** Requests that are for the server alone, unknown, or not for a standalone one. */
const ODD_OPS = [
  OpCode.notification,
  OpCode.check,
  OpCode.deleteContainer,
  OpCode.createSession,
  OpCode.error,
  10,
  99,
  -12,
  108,
  0x7fffffff,
];
/** Overlong, surrogates, beyond Unicode, a lone continuation, cut off. */
const BAD_UTF8 = ["c0af", "eda080", "f5808080", "80", "e282", "fe", "ff"].map(
  (hex) => new Uint8Array(Buffer.from(hex, "hex")),
);
const BAD_PATHS = [
  "",
  "bad",
  "//",
  "/bad/",
  "/bad//x",
  "/bad/.",
  "/bad/../x",
  "/bad/\u0000",
  "/bad/\ud800",
  "/bad/\uffff",
];

const pick = <T>(random: SeededRandom, items: readonly T[]): T => items[random.int(items.length)] as T;
const text = (value: string) => new Uint8Array(Buffer.from(value));
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return new Uint8Array(bytes);
};
const withLength = (length: number, payload: Uint8Array) => join(int(length), payload);
const request = (xid: number, type: number, body: Uint8Array) => framed(join(int(xid), int(type), body));

function flipped(random: SeededRandom, payload: Uint8Array): Uint8Array {
  const copy = payload.slice();
  for (let flips = 1 + random.int(4); flips > 0; flips--) {
    const at = random.int(copy.length);
    copy[at] = (copy[at] as number) ^ (1 << random.int(8));
  }
  return copy;
}

/** One 32-bit integer replaced: a length, a count, a version, or the middle of something. */
function oddInt(random: SeededRandom, payload: Uint8Array, from: number): Uint8Array {
  const copy = payload.slice();
  if (copy.length < from + 4) return copy;
  new DataView(copy.buffer).setInt32(from + random.int(copy.length - from - 3), pick(random, ODD_INTS));
  return copy;
}

const cut = (random: SeededRandom, payload: Uint8Array) => payload.slice(0, random.int(payload.length));
const extended = (random: SeededRandom, payload: Uint8Array) => join(payload, random.bytes(1 + random.int(50)));

/** A create whose path is these bytes. */
function createAt(random: SeededRandom, path: Uint8Array): Uint8Array {
  const acl = join(int(1), int(31), int(5), text("world"), int(6), text("anyone"));
  return request(random.int(1000), OpCode.create, join(int(path.length), path, int(0), acl, int(0)));
}

const kinds: Record<Stage, readonly Kind[]> = {
  new: [
    ["random bytes", (r) => r.bytes(1 + r.int(300))],
    ["a negative length", (r) => withLength(-1 - r.int(0x7fffffff), r.bytes(r.int(50)))],
    ["a length over jute.maxbuffer", (r) => withLength(MAX_BUFFER + 1 + r.int(0x7ff00000), r.bytes(r.int(50)))],
    ["an empty frame", () => int(0)],
    ["half a length", (r) => r.bytes(1 + r.int(3)), "hangs"],
    ["a half-sent ConnectRequest", (r) => framed(connectRequest(NOBODY)).slice(0, 5 + r.int(40)), "hangs"],
    ["HTTP", () => text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
    ["TLS", (r) => join(new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), r.bytes(200))],
    ["four letters", (r) => text(pick(r, ["ruok", "dump", "kill", "quit", "stmk", "abcd", "srvr", "mntr"]))],
    ["a ConnectRequest with flipped bits", (r) => framed(flipped(r, connectRequest(NOBODY)))],
    ["a ConnectRequest with an odd integer", (r) => framed(oddInt(r, connectRequest(NOBODY), 0))],
    ["a short ConnectRequest", (r) => framed(cut(r, connectRequest(NOBODY)))],
    ["a long ConnectRequest", (r) => framed(extended(r, connectRequest(NOBODY)))],
    ["a session from nowhere", (r) => framed(connectRequest({ id: BigInt(1 + r.int(1e6)), password: r.bytes(16) }))],
    ["a password of another size", (r) => framed(connectRequest({ id: 1n, password: r.bytes(r.int(40)) }))],
  ],
  open: [
    ["flipped bits", (r) => framed(flipped(r, validRequest(r)))],
    ["an odd integer", (r) => framed(oddInt(r, validRequest(r), 8))],
    ["a short request", (r) => framed(cut(r, validRequest(r)))],
    ["a long request", (r) => framed(extended(r, validRequest(r)))],
    ["a random body", (r) => framed(join(validRequest(r).slice(0, 8), r.bytes(r.int(200))))],
    ["only random bytes", (r) => framed(r.bytes(r.int(100)))],
    ["bad UTF-8 in a path", (r) => createAt(r, join(text(`${BAD_ROOT}/`), pick(r, BAD_UTF8)))],
    ["a bad path", (r) => createAt(r, text(pick(r, BAD_PATHS)))],
    [
      "a path of 10,000 bytes",
      (r) => createAt(r, text(`${BAD_ROOT}/${"x".repeat(10_000)}`)).slice(0, r.int(2) === 0 ? 50 : undefined),
      "hangs",
    ],
    ["an op for nobody", (r) => request(r.int(1000), pick(r, ODD_OPS), r.bytes(r.int(60)))],
    ["an odd xid", (r) => framed(join(int(pick(r, ODD_XIDS)), validRequest(r).slice(4)))],
    [
      "a multi without an end",
      (r) => request(1, OpCode.multi, join(int(OpCode.delete), new Uint8Array([0]), int(-1), r.bytes(20))),
    ],
    ["a multi of anything", (r) => request(1, OpCode.multi, join(int(r.int(120)), r.bytes(r.int(80))))],
    [
      "a count without items",
      (r) =>
        request(-8, pick(r, [OpCode.setWatches, OpCode.setWatches2]), join(int(0), int(0), int(pick(r, ODD_INTS)))),
    ],
    ["a negative length", (r) => withLength(-1 - r.int(0x7fffffff), validRequest(r))],
    ["a length over jute.maxbuffer", (r) => withLength(MAX_BUFFER + 1 + r.int(0x7ff00000), validRequest(r))],
    ["an empty frame", () => int(0)],
    ["a half-sent request", (r) => framed(validRequest(r)).slice(0, -1), "hangs"],
    ["a promise of a megabyte", (r) => withLength(MAX_BUFFER, r.bytes(r.int(2000))), "hangs"],
  ],
};

export function malformed(random: SeededRandom, stage: Stage): Malformed {
  const [name, make, hangs] = pick(random, kinds[stage]);
  return { name: `${stage}: ${name}`, bytes: make(random), hangs: hangs !== undefined };
}
