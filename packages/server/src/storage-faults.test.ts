// A disk that fails: the server says which file and what to do, acknowledges nothing that it could not keep, and ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskOperation } from "@vivarium/runtime";
import { brief } from "./testing/raw-client.ts";
import { create, exists, getData } from "./testing/requests.ts";
import { type Settings, TestBed } from "./testing/test-bed.ts";

/** Fails one kind of operation on the files whose path matches. */
function failing(bed: TestBed, operation: DiskOperation, path: RegExp, code: string): void {
  bed.disk.fault = (asked, file) => (asked === operation && path.test(file) ? code : null);
}

/** How the server ended. */
async function failure(bed: TestBed): Promise<Error & { file?: string; cause?: { code?: string } }> {
  const { stopped } = bed.running;
  return bed.clock.runUntil(
    stopped.then(
      () => assert.fail("it stopped without saying that anything is wrong"),
      (error) => error,
    ),
  );
}

interface Fault {
  name: string;
  operation: DiskOperation;
  path: RegExp;
  code: string;
  file: RegExp;
  advice: RegExp;
  settings?: Settings;
}

const LOG = /^\/data\/version-2\/log\./;

const faults: Fault[] = [
  { name: "the disk is full", operation: "write", path: LOG, code: "ENOSPC", file: LOG, advice: /Free some space/ },
  { name: "the quota is used up", operation: "write", path: LOG, code: "EDQUOT", file: LOG, advice: /quota/ },
  { name: "a write fails", operation: "write", path: LOG, code: "EIO", file: LOG, advice: /hardware error: check it/ },
  { name: "an fsync fails", operation: "datasync", path: LOG, code: "EIO", file: LOG, advice: /hardware error/ },
  {
    name: "the file system is read-only now",
    operation: "write",
    path: LOG,
    code: "EROFS",
    file: LOG,
    advice: /read-only/,
  },
  {
    name: "there is no room to grow the log into",
    operation: "truncate",
    path: LOG,
    code: "ENOSPC",
    file: LOG,
    advice: /Free some space/,
    settings: { preAllocSize: 64 },
  },
];

for (const { name, operation, path, code, file, advice, settings } of faults) {
  test(`${name} (${code} at ${operation}): no acknowledgement, one error that says which file and what to do`, async () => {
    const bed = await TestBed.start({ snapCount: 1_000_000, ...settings });
    const [client, other] = [await bed.client(), await bed.client()];
    await client.call(create("/kept"));
    client.take();
    failing(bed, operation, path, code);
    const firstZxid = bed.server.lastProcessedZxid + 1;
    for (let i = 0; i < 100; i++) client.send(create(`/lost${i}`, { data: "x".repeat(1000) }));
    const error = await failure(bed);
    await bed.settle();
    assert.equal(error.name, "StorageError");
    assert.equal(error.cause?.code, code);
    assert.match(error.file ?? "", file);
    assert.ok(error.message.includes(error.file ?? "?"), error.message);
    assert.match(error.message, advice);
    assert.equal(bed.said("error").length, 1);
    assert.deepEqual([client.isClosed, other.isClosed], [true, true]);
    const acknowledged = client.take().filter((packet) => packet.kind === "reply" && packet.err === 0);

    bed.disk.fault = () => null;
    bed.powerFailure();
    await bed.start();
    const again = await bed.client();
    assert.equal(await again.outcome(exists("/kept")), "OK");
    for (let i = 0; i < acknowledged.length; i++) assert.equal(await again.outcome(exists(`/lost${i}`)), "OK");
    assert.ok(bed.server.lastProcessedZxid >= firstZxid - 1 + acknowledged.length);
    await bed.stop();
  });
}

test("a failed fsync is not tried again: pages that it lost would seem safe", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  let syncs = 0;
  bed.disk.fault = (operation, path) => {
    if (operation !== "datasync" || !LOG.test(path)) return null;
    syncs++;
    return syncs === 1 ? "EIO" : null;
  };
  client.send(create("/a"));
  await bed.settle();
  client.send(create("/b"));
  await failure(bed);
  await bed.settle();
  assert.deepEqual(client.take(), []);
  assert.equal(syncs, 1);
});

for (const { operation, path } of [
  { operation: "write", path: /snapshot\..*\.tmp$/ },
  { operation: "datasync", path: /snapshot\..*\.tmp$/ },
  { operation: "rename", path: /snapshot\./ },
  { operation: "open", path: /snapshot\..*\.tmp$/ },
] as const) {
  test(`a snapshot that cannot be written (${operation}) ends the server; what was acknowledged is in the log`, async () => {
    const bed = await TestBed.start({ snapCount: 10 });
    const client = await bed.client();
    failing(bed, operation, path, "ENOSPC");
    let acknowledged = 0;
    for (; acknowledged < 50 && !client.isClosed; acknowledged++) {
      client.send(create(`/n${acknowledged}`));
      await bed.settle();
      if (brief(client.take()).length === 0) break;
    }
    const error = await failure(bed);
    assert.match(error.message, /\/data\/version-2\/snapshot\.[0-9a-f]+: writing a snapshot failed.*Free some space/);
    assert.ok(acknowledged > 3);
    bed.disk.fault = () => null;
    bed.powerFailure();
    await bed.start();
    const again = await bed.client();
    assert.equal(await again.outcome(exists(`/n${acknowledged - 1}`)), "OK");
    const left = (await bed.clock.runUntil(bed.disk.readDirectory("/data/version-2"))).filter((name) =>
      name.endsWith(".tmp"),
    );
    assert.deepEqual(left, [], "no half a snapshot stays");
    await bed.stop();
  });
}

test("reads go on while the disk is slow, and the wait is reported with the file", async () => {
  const bed = await TestBed.start({ tickTime: 10_000 });
  const [writer, reader] = [await bed.client({ timeOut: 60_000 }), await bed.client({ timeOut: 60_000 })];
  bed.disk.syncDelayMs = 1500;
  writer.send(create("/a"));
  await bed.settle();
  for (let i = 0; i < 10; i++) {
    assert.equal(await reader.outcome(getData("/")), "OK");
    await bed.clock.run(100);
  }
  await bed.clock.run(1000);
  assert.deepEqual(brief(writer.take()), ["#1 OK"]);
  assert.match(bed.said("warn").join("\n"), /log\.[0-9a-f]+ took 1500 ms/);
  bed.disk.syncDelayMs = 0;
  await bed.stop();
});

for (const { name, operation, path, code, message } of [
  {
    name: "a directory that may not be made",
    operation: "makeDirectory",
    path: /./,
    code: "EACCES",
    message: /\/data\/version-2: making/,
  },
  { name: "a read-only file system", operation: "makeDirectory", path: /./, code: "EROFS", message: /read-only/ },
  {
    name: "a directory that cannot be listed",
    operation: "readDirectory",
    path: /./,
    code: "EIO",
    message: /version-2/,
  },
  {
    name: "no room for the first snapshot",
    operation: "write",
    path: /snapshot/,
    code: "ENOSPC",
    message: /snapshot\.0: .*Free/,
  },
] as const) {
  test(`start: ${name} (${code}) is an error with the path and what to do, and nothing stays locked`, async () => {
    const bed = new TestBed();
    failing(bed, operation, path, code);
    await assert.rejects(bed.start(), (error: Error) => error.name === "StorageError" && message.test(error.message));
    bed.disk.fault = () => null;
    await bed.start();
    await bed.stop();
  });
}

test("start: a data directory in use is refused, and the server that uses it does not notice", async () => {
  const bed = await TestBed.start();
  const { running } = bed;
  const client = await bed.client();
  bed.settings = { clientPort: 2182 };
  await assert.rejects(bed.start(), /\/data is in use by vivarium server, port 2181.*stop the other one/);
  assert.equal(await client.outcome(create("/a")), "OK");
  await bed.clock.runUntil(running.stop());
});

test("start: a snapshot with a flipped bit is not taken for the truth", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  await client.call(create("/a"));
  await bed.stop();
  await damage(bed, /^snapshot/, 40);
  await assert.rejects(bed.start(), /\/data\/version-2\/snapshot\.0/);
});

test("start: a bit flipped in the middle of the log is found; the server names the file and does not guess", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  for (let i = 0; i < 20; i++) await client.call(create(`/n${i}`, { data: "x".repeat(100) }));
  await bed.stop();
  await damage(bed, /^log/, 1000);
  await assert.rejects(bed.start(), /\/data\/version-2\/log\.[0-9a-f]+/);
});

async function damage(bed: TestBed, name: RegExp, at: number): Promise<void> {
  const names = await bed.clock.runUntil(bed.disk.readDirectory("/data/version-2"));
  const found = names.filter((one) => name.test(one)).sort();
  const flip = async (path: string): Promise<void> => {
    const file = await bed.disk.open(path, "update");
    const byte = new Uint8Array(1);
    await file.read(byte, at);
    await file.write(Uint8Array.of((byte[0] as number) ^ 0x10), at);
  };
  for (const one of found) await bed.clock.runUntil(flip(`/data/version-2/${one}`));
}
