// The bare server is only a ceiling when it really does what it is said to do: these tests speak with it as a client.

import assert from "node:assert/strict";
import { test } from "node:test";
import { closeSessions, createMany, dataOf, drive, openSessions, readsAndWrites } from "@vivarium/load";
import { GetDataResponse, OpCode, SetDataRequest, WatchedPathRequest } from "@vivarium/protocol";
import { MemoryDisk, NodeClock, NodeNetwork, OpenMode, SeededRandom } from "@vivarium/runtime";
import { BareServer } from "./bare-server.ts";

const network = new NodeNetwork();

async function withBareServer(work: (port: number, disk: MemoryDisk) => Promise<void>): Promise<void> {
  const disk = new MemoryDisk({ clock: new NodeClock(), random: new SeededRandom(1) });
  const server = await BareServer.start({ network, disk, file: "/log", port: 0, valueBytes: 100 });
  try {
    await work(server.port, disk);
  } finally {
    await server.stop();
  }
}

test("a read gets a value of the wanted size, a write is in the file before its reply", async () => {
  await withBareServer(async (port, disk) => {
    const [session] = await openSessions(network, [{ host: "127.0.0.1", port }], 1);
    assert.ok(session !== undefined);
    const reader = await session.call(OpCode.getData, (w) => WatchedPathRequest.write(w, { path: "/a", watch: false }));
    assert.equal(GetDataResponse.read(reader).data?.length, 100);
    const data = new TextEncoder().encode("this must be in the file");
    await session.call(OpCode.setData, (w) => SetDataRequest.write(w, { path: "/a", data, version: -1 }));
    const file = await disk.open("/log", OpenMode.read);
    const kept = new Uint8Array(200);
    await file.read(kept, 0);
    assert.ok(Buffer.from(kept).includes("this must be in the file"));
    await closeSessions([session]);
  });
});

test("replies keep the order of their requests, whatever is read and written", async () => {
  await withBareServer(async (port) => {
    const sessions = await openSessions(network, [{ host: "127.0.0.1", port }], 3);
    const [session] = sessions;
    assert.ok(session !== undefined);
    await createMany(session, 10, (index) => `/n${index}`, { data: dataOf(10) });
    const traffic = readsAndWrites(["/n0", "/n1"], { readPercent: 50, sizeBytes: 100 });
    // The session insists on the order, and ends with an error when it is broken.
    const { byKind, errors } = await drive(sessions, traffic, { window: 20, seconds: 0.1, warmUpSeconds: 0 });
    assert.ok((byKind.get("read")?.count ?? 0) > 0);
    assert.ok((byKind.get("write")?.count ?? 0) > 0);
    assert.equal(errors.size, 0);
    await closeSessions(sessions);
  });
});
