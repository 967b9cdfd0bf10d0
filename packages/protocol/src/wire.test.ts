/** Every record of the client wire against what a real Apache ZooKeeper 3.9.5 and its clients sent. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bool, type Codec, encode, Reader, Writer } from "@vivarium/jute";
import * as p from "./index.ts";

interface Frame {
  name?: string;
  client?: string;
  direction: "request" | "response" | "event";
  op: string;
  hex: string;
  value?: { err?: number; value?: Record<string, unknown> } & Record<string, unknown>;
}

const load = (file: string): Frame[] =>
  JSON.parse(readFileSync(new URL(`../src/testdata/${file}`, import.meta.url), "utf8")) as Frame[];

// biome-ignore lint/suspicious/noExplicitAny: the table holds records of every type.
type AnyCodec = Codec<any>;

const bodies: Record<string, [request: AnyCodec, response: AnyCodec]> = {
  create: [p.CreateRequest, p.CreateResponse],
  create2: [p.CreateRequest, p.Create2Response],
  createContainer: [p.CreateRequest, p.Create2Response],
  createTTL: [p.CreateTTLRequest, p.Create2Response],
  delete: [p.DeleteRequest, p.Nothing],
  exists: [p.WatchedPathRequest, p.StatResponse],
  getData: [p.WatchedPathRequest, p.GetDataResponse],
  setData: [p.SetDataRequest, p.StatResponse],
  getACL: [p.PathRequest, p.GetACLResponse],
  setACL: [p.SetACLRequest, p.StatResponse],
  getChildren: [p.WatchedPathRequest, p.GetChildrenResponse],
  getChildren2: [p.WatchedPathRequest, p.GetChildren2Response],
  sync: [p.PathRequest, p.SyncResponse],
  ping: [p.Nothing, p.Nothing],
  check: [p.CheckVersionRequest, p.Nothing],
  multi: [p.MultiRequest, p.MultiResponse],
  multiRead: [p.MultiRequest, p.MultiResponse],
  reconfig: [p.ReconfigRequest, p.GetDataResponse],
  checkWatches: [p.WatcherRequest, p.Nothing],
  removeWatches: [p.WatcherRequest, p.Nothing],
  auth: [p.AuthPacket, p.Nothing],
  setWatches: [p.SetWatches, p.Nothing],
  setWatches2: [p.SetWatches2, p.Nothing],
  addWatch: [p.AddWatchRequest, p.ErrorResponse],
  getEphemerals: [p.GetEphemeralsRequest, p.GetEphemeralsResponse],
  getAllChildrenNumber: [p.PathRequest, p.GetAllChildrenNumberResponse],
  whoAmI: [p.Nothing, p.WhoAmIResponse],
  closeSession: [p.Nothing, p.Nothing],
};

/** Reads a frame by our records and writes it again; the bytes must come out as they went in. */
function rewrite(frame: Frame): { bytes: string; body: Record<string, unknown> } {
  const reader = new Reader(new Uint8Array(Buffer.from(frame.hex, "hex")));
  const writer = new Writer();
  const copy = <T>(codec: Codec<T>): T => {
    const value = codec.read(reader);
    codec.write(writer, value);
    return value;
  };
  let body: Record<string, unknown> = {};
  if (frame.op === "connect") {
    body = copy(frame.direction === "request" ? p.ConnectRequest : p.ConnectResponse);
    if (reader.remaining > 0) copy(bool);
  } else if (frame.direction === "event") {
    copy(p.ReplyHeader);
    body = copy(p.WatcherEvent);
  } else {
    const codecs = bodies[frame.op];
    assert.ok(codecs, `no records for ${frame.op}`);
    const err = frame.direction === "request" ? copy(p.RequestHeader).type * 0 : copy(p.ReplyHeader).err;
    if (err === 0) body = copy(frame.direction === "request" ? codecs[0] : codecs[1]) ?? {};
  }
  assert.equal(reader.remaining, 0, "bytes that no record accounts for");
  return { bytes: Buffer.from(writer.written()).toString("hex"), body };
}

test("[fixture] everything in the recorded conversation survives our records byte for byte", () => {
  const frames = load("wire-3.9.5.json");
  const seen = new Set(frames.filter((f) => f.direction === "request").map((f) => f.op));
  for (const op of Object.keys(bodies)) assert.ok(seen.has(op), `the recording has no ${op}`);
  for (const frame of frames) {
    // A null list reads as an empty one: no request tells them apart.
    if (frame.name === "create null ACL" && frame.direction === "request") continue;
    assert.equal(rewrite(frame).bytes, frame.hex, `${frame.direction} "${frame.name}"`);
  }
});

test("[fixture] the values in it are those that the recording tool, which shares no code with us, has read", () => {
  for (const frame of load("wire-3.9.5.json")) {
    const { body } = rewrite(frame);
    const expected = (frame.direction === "request" ? frame.value : frame.value?.value) ?? {};
    for (const name of ["path", "totalNumber", "type", "state", "children", "ephemerals"]) {
      if (name in expected && name in body) assert.deepEqual(body[name], expected[name], `${name} of "${frame.name}"`);
    }
  }
});

test("[fixture] what each foreign client sends and is sent survives our records byte for byte", () => {
  const frames = load("wire-clients-3.9.5.json");
  assert.ok(new Set(frames.map((f) => f.client)).size >= 5, "recordings of at least five clients");
  for (const frame of frames) {
    if (frame.op !== "connect" && frame.direction !== "event" && bodies[frame.op] === undefined) continue;
    assert.equal(rewrite(frame).bytes, frame.hex, `${frame.direction} ${frame.op} of ${frame.client}`);
  }
});

test("a Stat takes 68 bytes", () => {
  const stat = { czxid: 1, mzxid: 2, ctime: 3, mtime: 4, version: 5, cversion: 6, aversion: 7 };
  const full = { ...stat, ephemeralOwner: -1n, dataLength: 8, numChildren: 9, pzxid: 10 };
  assert.equal(encode(p.Stat, full).length, p.STAT_BYTES);
});
