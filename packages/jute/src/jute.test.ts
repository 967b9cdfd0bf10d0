import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bool,
  buffer,
  decode,
  encode,
  FrameBuffer,
  int,
  long,
  nullableUstring,
  number,
  ProtocolError,
  record,
  ustring,
  utf8Length,
  utf8Read,
  utf8Write,
  vector,
} from "./index.ts";

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

const Everything = record({
  flag: bool,
  small: int,
  big: long,
  zxid: number,
  data: buffer,
  path: ustring,
  scheme: nullableUstring,
  names: vector(ustring),
});

test("a record is its fields in order, without tags or padding", () => {
  const value = {
    flag: true,
    small: -2,
    big: -0x8000000000000000n,
    zxid: 0x2_0000_0001,
    data: null,
    path: "/ä",
    scheme: null,
    names: ["a", ""],
  };
  const hex = "01fffffffe80000000000000000000000200000001ffffffff000000032fc3a4ffffffff00000002000000016100000000";
  assert.equal(toHex(encode(Everything, value)), hex);
  assert.deepEqual(decode(Everything, fromHex(hex)), value);
});

test("null and empty buffers stay distinct", () => {
  assert.equal(toHex(encode(buffer, null)), "ffffffff");
  assert.equal(toHex(encode(buffer, new Uint8Array(0))), "00000000");
  assert.equal(decode(buffer, fromHex("ffffffff")), null);
  assert.deepEqual(decode(buffer, fromHex("00000000")), new Uint8Array(0));
});

test("any value survives the wire", () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          flag: fc.boolean(),
          small: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
          big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          zxid: fc.maxSafeInteger(),
          data: fc.option(fc.uint8Array()),
          path: fc.string({ unit: "binary" }),
          scheme: fc.option(fc.string()),
          names: fc.array(fc.string({ unit: "grapheme" })),
        },
        { noNullPrototype: true },
      ),
      (value) => assert.deepEqual(decode(Everything, encode(Everything, value)), value),
    ),
  );
});

const refused = [
  { name: "a number beyond 2^53", codec: number, hex: "7fffffffffffffff" },
  { name: "a truncated int", codec: int, hex: "000000" },
  { name: "a string longer than what is there", codec: ustring, hex: "0000000561" },
  { name: "a string of negative length", codec: ustring, hex: "fffffffe" },
  { name: "a null string where one is required", codec: ustring, hex: "ffffffff" },
  { name: "a count that cannot fit", codec: vector(ustring), hex: "7fffffff00000000" },
  { name: "bytes left over", codec: int, hex: "0000000000" },
];
for (const hex of ["ffffffff", "fffffffe", "80000000"]) {
  test(`a list of ${hex} items is empty, as in Java`, () => {
    assert.deepEqual(decode<unknown>(vector(ustring), fromHex(hex)), []);
  });
}

for (const { name, codec, hex } of refused) {
  test(`${name} is refused`, () => {
    assert.throws(() => decode<unknown>(codec, fromHex(hex)), ProtocolError);
  });
}

test("UTF-8 agrees with the platform's encoder on any text, lone surrogates included", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }), (text) => {
      const expected = new TextEncoder().encode(text);
      const written = new Uint8Array(utf8Length(text));
      assert.equal(utf8Write(text, written, 0), written.length);
      assert.deepEqual(written, expected);
      assert.equal(
        utf8Read(written, 0, written.length),
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(expected),
      );
    }),
  );
});

test("frames come out whole however the stream is cut, whoever stops taking them, from memory that is used again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 60 }), taken: fc.integer({ min: 0, max: 4 }) })),
      (frames, turns) => {
        const stream = Buffer.concat(frames.flatMap((f) => [Buffer.from([0, 0, 0, f.length]), Buffer.from(f)]));
        const splitter = new FrameBuffer(64);
        const seen: Uint8Array[] = [];
        const take = (most: number) => {
          for (let i = 0; i < most && splitter.next(); i++)
            seen.push(splitter.bytes.slice(splitter.start, splitter.end));
        };
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const { size, taken } = turns[turn % turns.length] ?? { size: stream.length, taken: 1 };
          const lent = new Uint8Array(stream.subarray(at, at + size));
          at += size;
          splitter.append(lent);
          take(taken);
          if (turn % 3 === 0) take(Number.POSITIVE_INFINITY);
          splitter.keep();
          lent.fill(0xa5);
        }
        take(Number.POSITIVE_INFINITY);
        assert.deepEqual(seen, frames);
        assert.equal(splitter.pending, 0);
      },
    ),
  );
});

for (const length of [-1, 65, 0x7fffffff]) {
  test(`a frame length of ${length} is refused before its bytes arrive`, () => {
    const frames = new FrameBuffer(64);
    frames.append(new Uint8Array(Buffer.from([length >> 24, length >> 16, length >> 8, length])));
    assert.throws(() => frames.next(), /jute\.maxbuffer/);
  });
}

test("what is read from a Buffer is in memory of its own", () => {
  const wire = Buffer.from("00000001ff", "hex");
  const data = decode(buffer, wire);
  wire.fill(0);
  assert.deepEqual(data, new Uint8Array([255]));
});
