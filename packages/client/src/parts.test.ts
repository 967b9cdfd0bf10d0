import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@vivarium/jute";
import { SetWatches2 } from "@vivarium/protocol";
import fc from "fast-check";
import { digestAcl, digestId, parsePerms } from "./acl.ts";
import { ClientOptionError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import { CodecError, gzip, json, type StandardSchema, schema, text } from "./index.ts";
import { settingsOf } from "./options.ts";
import { rearmChunks, writeRearm } from "./rearm.ts";
import { SessionClock } from "./session-clock.ts";

test("a fifo does what an array does", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("push" as const), item: fc.integer() }),
    fc.record({ do: fc.constant("shift" as const), item: fc.constant(0) }),
    fc.record({ do: fc.constant("unshiftAll" as const), item: fc.nat(40) }),
    fc.record({ do: fc.constant("remove" as const), item: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      for (const { do: what, item } of steps) {
        if (what === "push") {
          fifo.push(item);
          model.push(item);
        } else if (what === "shift") {
          assert.equal(fifo.shift(), model.shift());
        } else if (what === "unshiftAll") {
          const items = Array.from({ length: item }, (_, i) => i);
          fifo.unshiftAll(items);
          model = [...items, ...model];
        } else {
          const at = model.indexOf(item);
          assert.equal(fifo.remove(item), at !== -1);
          if (at !== -1) model.splice(at, 1);
        }
        assert.equal(fifo.size, model.length);
        assert.equal(fifo.peek(), model[0]);
        assert.deepEqual(fifo.toArray(), model);
      }
    }),
  );
});

test("setWatches is cut into chunks below the limit that together hold every path once, in order", () => {
  const paths = fc.array(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 40 });
  const lists = fc.record({ data: paths, exist: paths, child: paths, persistent: paths, recursive: paths });
  fc.assert(
    fc.property(lists, (all) => {
      const chunks = rearmChunks(all, 100);
      for (const kind of ["data", "exist", "child", "persistent", "recursive"] as const) {
        assert.deepEqual(
          chunks.flatMap((chunk) => chunk[kind]),
          all[kind],
        );
      }
      for (const chunk of chunks) {
        const count = Object.values(chunk).flat().length;
        const writer = new Writer();
        writeRearm(writer, { ...chunk, persistent: [...chunk.persistent] }, 7);
        assert.ok(count === 1 || writer.length <= 100 + 12 + 8 + 20, `${writer.length} bytes`);
      }
    }),
  );
});

test("a setWatches2 packet is framed and reads back", () => {
  const writer = new Writer();
  const lists = { data: ["/d"], exist: [], child: ["/c"], persistent: ["/p"], recursive: [] };
  writeRearm(writer, lists, 9);
  const reader = new Reader(writer.copy());
  assert.deepEqual([reader.int(), reader.int(), reader.int()], [writer.length - 4, -8, 105]);
  assert.deepEqual(SetWatches2.read(reader).persistentWatches, ["/p"]);
});

test("the session is safe until the last answered packet's sending plus the timeout", () => {
  const clock = new SessionClock();
  clock.granted(6000, 100, 150);
  assert.deepEqual([clock.safeUntilMs, clock.pingAtMs, clock.silentAtMs], [6100, 2150, 4150]);
  clock.sent(1000);
  assert.equal(clock.safeUntilMs, 6100, "a packet without an answer proves nothing");
  clock.acknowledged(1000);
  clock.acknowledged(500);
  assert.deepEqual([clock.safeUntilMs, clock.givenUpAtMs], [7000, 9000]);
});

test("digest identities are ZooKeeper's", () => {
  // From the documentation of ZooKeeper's super user.
  assert.equal(digestId("super", "test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
  assert.deepEqual(digestAcl("super", "test", "rw").perms, 3);
  assert.equal(parsePerms("cdrwa"), 31);
  assert.throws(() => parsePerms("rx"), ClientOptionError);
});

test("codecs: text, JSON, a schema", async () => {
  assert.equal(text.decode(null, "/a"), "");
  assert.deepEqual(json().decode(Buffer.from('{"a":1}'), "/a"), { a: 1 });
  assert.throws(() => json().decode(Buffer.from("{"), "/a"), CodecError);
  assert.throws(() => json().decode(null, "/a"), CodecError);
  const packed = gzip(text);
  const bytes = packed.encode("a".repeat(1000));
  assert.ok(Buffer.isBuffer(bytes) && bytes.length < 100);
  assert.equal(packed.decode(bytes, "/a"), "a".repeat(1000));
  assert.throws(() => packed.decode(Buffer.from("plain"), "/a"), CodecError);
  const port: StandardSchema<unknown, { port: number }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const { port } = value as { port?: unknown };
        return typeof port === "number"
          ? { value: { port } }
          : { issues: [{ message: "must be a number", path: ["port"] }] };
      },
    },
  };
  const codec = schema(port);
  assert.deepEqual(await codec.decode(Buffer.from('{"port":1,"more":2}'), "/a"), { port: 1 });
  await assert.rejects(
    async () => codec.decode(Buffer.from("{}"), "/a"),
    (error) => {
      return error instanceof CodecError && error.issues.length === 1 && /port: must be/.test(error.message);
    },
  );
  assert.equal(codec.encode({ port: 1 }), '{"port":1}');
  assert.throws(() => codec.encode({ port: "1" } as never), /port: must be a number/);
});

for (const options of [{ sessionTimeoutMs: 0 }, { maxInFlight: -1 }, { requestTimeoutMs: Number.NaN }]) {
  test(`the options ${JSON.stringify(options)} are refused`, () => {
    assert.throws(() => settingsOf(options), ClientOptionError);
  });
}
