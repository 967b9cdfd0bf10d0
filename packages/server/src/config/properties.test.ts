import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PropertiesSyntaxError, parseProperties } from "./properties.ts";

const read = (text: string): [string, string, number][] =>
  parseProperties(text).map(({ key, value, line }) => [key, value, line]);

test("entries, separators, comments and escapes are read as java.util.Properties does", () => {
  const cases: readonly [text: string, entries: [string, string, number][]][] = [
    ["", []],
    ["a=1", [["a", "1", 1]]],
    [
      "a = 1\nb: 2\nc 3\nd\t=\t4\n",
      [
        ["a", "1", 1],
        ["b", "2", 2],
        ["c", "3", 3],
        ["d", "4", 4],
      ],
    ],
    ["a==1", [["a", "=1", 1]]],
    ["a = = 1", [["a", "= 1", 1]]],
    ["a : = 1", [["a", "= 1", 1]]],
    ["server.1=h:2888:3888;2181", [["server.1", "h:2888:3888;2181", 1]]],
    ["# c\n! c\n  # c\n\n \t\f\na=#1", [["a", "#1", 6]]],
    ["# c \\\na=1", [["a", "1", 2]]],
    [
      "a\\ b=1\nc\\=d=2\ne\\:f 3",
      [
        ["a b", "1", 1],
        ["c=d", "2", 2],
        ["e:f", "3", 3],
      ],
    ],
    [
      "a=1\\\n   2\\\n3\nb=4",
      [
        ["a", "123", 1],
        ["b", "4", 4],
      ],
    ],
    [
      "a=1\\\\\nb=2",
      [
        ["a", "1\\", 1],
        ["b", "2", 2],
      ],
    ],
    ["\\\n# c\n\\\na=1", [["a", "1", 4]]],
    ["a=1\\\n# 2", [["a", "1# 2", 1]]],
    ["a=1\\", [["a", "1", 1]]],
    ["a=C:\\\\zk\\tz", [["a", "C:\\zk\tz", 1]]],
    ["a=\\u00e9\\u4e2D\\q", [["a", "é中q", 1]]],
    [
      "a\r\nb\rc\nd",
      [
        ["a", "", 1],
        ["b", "", 2],
        ["c", "", 3],
        ["d", "", 4],
      ],
    ],
    [
      "a=1  \nb=\\ 2\\ ",
      [
        ["a", "1", 1],
        ["b", "2", 2],
      ],
    ],
    ["\uFEFFa=1", [["a", "1", 1]]],
    ["=1", [["", "1", 1]]],
    [
      "a=1\na=2",
      [
        ["a", "1", 1],
        ["a", "2", 2],
      ],
    ],
  ];
  for (const [text, entries] of cases) assert.deepEqual(read(text), entries, JSON.stringify(text));
});

test("a broken \\u names its line", () => {
  for (const text of ["x=1\na=\\u12", "x=1\na=\\uzzzz", "x=1\na\\u=1"]) {
    assert.throws(
      () => parseProperties(text),
      (error) => error instanceof PropertiesSyntaxError && error.line === 2,
      text,
    );
  }
});

test("whatever is escaped comes back, on its line", () => {
  const escapeAll = (text: string): string =>
    text.replace(/[\\=: \t\f\r\n#!]/g, (one) => (one in named ? named[one] : `\\${one}`) ?? "");
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f" };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()), { maxLength: 8 }), (pairs) => {
      const text = pairs.map(([key, value]) => `${escapeAll(key)}=${escapeAll(value)}`).join("\n");
      const wanted = pairs.map(([key, value], index) => [key.trim(), value.trim(), index + 1]);
      // A key that begins with a byte order mark is the mark of the file.
      fc.pre(!text.startsWith("\uFEFF"));
      assert.deepEqual(read(text), wanted);
    }),
  );
});

test("any text is read or refused, never anything else", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "\\", "u", "=", " ", "\n", "#", "0"), maxLength: 40 }),
      (text) => {
        try {
          parseProperties(text);
        } catch (error) {
          assert.ok(error instanceof PropertiesSyntaxError);
        }
      },
    ),
  );
});
