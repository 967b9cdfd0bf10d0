// `node interop/capture/quorum.mjs` writes packages/protocol/src/testdata/quorum-3.9.5.json: what real Apache ZooKeeper
// 3.9.5 servers say to each other on their election and quorum ports. Run by hand; the result is committed.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { superProperties, superUser } from "../lib/dump-tree.mjs";
import { startEnsemble } from "../lib/ensemble.mjs";
import { Links } from "../lib/links.mjs";
import { sleep, until } from "../lib/net.mjs";
import { repoDir } from "../lib/paths.mjs";
import { DirectionDecoder } from "../lib/quorum-decoder.mjs";
import { RawClient } from "../lib/raw-client.mjs";

const target = join(repoDir, "packages", "protocol", "src", "testdata", "quorum-3.9.5.json");

/** More of the same in one direction of a connection, beyond this, is left out: a stream stays readable without them. */
const maxAlike = { PING: 2, notification: 6 };

class Recorder {
  connections = [];
  #scene = "";
  #byLink = new Map();
  seen = new Set();

  scene(name) {
    this.#scene = name;
    console.log(name);
  }

  onChunk = (link, from, chunk) => {
    let recorded = this.#byLink.get(link);
    if (recorded === undefined) {
      const { port, dialer, acceptor } = link;
      const [alike, configs, decoders] = [new Map(), new Map(), new Map()];
      recorded = { scene: this.#scene, port, dialer, acceptor, messages: [], alike, configs, decoders };
      for (const sid of [dialer, acceptor]) {
        recorded.decoders.set(sid, new DirectionDecoder({ port, fromDialer: sid === dialer }));
      }
      this.#byLink.set(link, recorded);
      this.connections.push(recorded);
    }
    if (chunk === null) recorded.messages.push({ from, kind: "end" });
    else for (const message of recorded.decoders.get(from).push(chunk)) this.#keep(recorded, from, message);
  };

  #keep(recorded, from, { kind, value, bytes }) {
    this.seen.add(kind);
    const counter = `${from} ${kind} ${kind === "PING" ? value.dataSize > 0 : ""}`;
    const alike = (recorded.alike.get(counter) ?? 0) + 1;
    recorded.alike.set(counter, alike);
    const limit = maxAlike[kind] ?? Number.POSITIVE_INFINITY;
    if (alike > limit) return;
    // A membership is told where it changes; in the bytes it is always there.
    const isKnown = value.config !== undefined && recorded.configs.get(from) === value.config;
    if (value.config !== undefined) recorded.configs.set(from, value.config);
    const shown = isKnown ? { ...value, config: undefined } : value;
    recorded.messages.push({ from, kind, scene: this.#scene, hex: bytes.toString("hex"), value: shown });
  }
}

const asJson = (value) => JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each));

/** One line per message; the scene of a message is told only where it changes. */
function toJson(connections) {
  const texts = connections.map(({ scene, port, dialer, acceptor, messages }) => {
    let last = scene;
    const lines = messages.map(({ scene: own, ...message }) => {
      if (own === undefined || own === last) return asJson(message);
      last = own;
      return asJson({ ...message, scene: own });
    });
    return `${asJson({ scene, port, dialer, acceptor }).slice(0, -1)},"messages":[\n${lines.join(",\n")}\n]}`;
  });
  return `[\n${texts.join(",\n")}\n]\n`;
}

const session = (member, more = {}) => RawClient.connect({ port: member.port, timeOut: 20_000, ...more });

async function writes(ensemble, recorder) {
  const leader = await ensemble.leader();
  const [follower, other] = await ensemble.followers();
  const observer = ensemble.members.find(({ isObserver }) => isObserver);

  recorder.scene("requests of a follower's client");
  const client = await session(follower);
  await client.ask("create", { path: "/a", data: "hello" });
  await client.ask("create", { path: "/a/s-", data: null, flags: 3 });
  await client.ask("setData", { path: "/a", data: "world", version: 0 });
  await client.call("setData", { path: "/missing", data: "x", version: -1 });
  await client.ask("auth", { scheme: "digest", auth: "alice:secret" });
  await client.ask("create2", { path: "/mine", data: "m", acl: [{ perms: 31, scheme: "auth", id: "" }] });
  await client.call("multi", {
    ops: [
      { op: "create", path: "/m", data: "1" },
      { op: "check", path: "/a", version: 1 },
      { op: "delete", path: "/m", version: 0 },
    ],
  });
  await client.ask("sync", { path: "/a" });
  await client.ask("delete", { path: "/m", version: -1 }).catch(() => {});

  recorder.scene("requests of an observer's client");
  const observed = await session(observer);
  await observed.ask("create", { path: "/by-observer", flags: 1 });
  await observed.ask("sync", { path: "/" });
  await observed.close();

  recorder.scene("a session moves to another server");
  client.destroy();
  const moved = await session(other, { sessionId: client.sessionId, passwd: client.passwd });
  await moved.ask("setData", { path: "/a", data: "moved" });
  moved.destroy();

  recorder.scene("a session that does not exist");
  await session(other, { sessionId: 0x7777n, passwd: Buffer.alloc(16) }).then(
    (c) => c.destroy(),
    () => {},
  );

  recorder.scene("requests of the leader's client");
  const atLeader = await session(leader, { sessionId: client.sessionId, passwd: client.passwd });
  await atLeader.ask("create", { path: "/by-leader", data: "l" });
  await sleep(600);
  await atLeader.close();
}

async function leftBehind(ensemble, recorder) {
  const [follower, other] = await ensemble.followers();
  recorder.scene("DIFF: a follower was away");
  await follower.kill();
  const client = await session(other);
  await client.ask("create", { path: "/while-away", data: "1" });
  await client.ask("delete", { path: "/while-away", version: -1 });
  await client.close();
  await follower.start();

  recorder.scene("SNAP: a follower lost its disk");
  await follower.kill();
  follower.wipe();
  const keeper = await session(other);
  await keeper.ask("create", { path: "/ephemeral", data: "e", flags: 1 });
  await follower.start();
  await keeper.close();

  recorder.scene("SNAP: an observer lost its disk");
  const observer = ensemble.members.find(({ isObserver }) => isObserver);
  await observer.kill();
  observer.wipe();
  await observer.start();
}

/** The leader logs what nobody else hears of, and dies. */
async function truncated(ensemble, recorder, links) {
  const leader = await ensemble.leader();
  const others = ensemble.members.filter((member) => member !== leader);
  recorder.scene("the leader dies");
  const client = await session(leader);
  await client.ask("create", { path: "/last-committed", data: "1" });
  for (const { sid } of others) links.hold(leader.sid, sid);
  for (const name of ["a", "b"]) client.call("create", { path: `/lost-${name}`, data: name }).catch(() => {});
  await until(
    "the leader logs it",
    async () => Number(/Outstanding: (\d+)/.exec(await leader.word("srvr"))[1]) > 0,
  ).catch(() => {});
  await sleep(300);
  await leader.kill();
  for (const { sid } of others) links.cut(leader.sid, sid);
  for (const { sid } of others) links.release(leader.sid, sid);
  await ensemble.leader();
  await Promise.all(others.map((member) => member.serving()));

  recorder.scene("TRUNC: the old leader returns");
  await leader.start();

  recorder.scene("DIFF: a transaction of the new epoch");
  const [follower] = await ensemble.followers();
  const writer = await session(follower);
  await writer.ask("create", { path: "/new-epoch", data: "1" });
  await writer.close();
  await sleep(300);
}

async function mainEnsemble(recorder) {
  const links = await Links.start({ sids: [1, 2, 3, 4], onChunk: recorder.onChunk });
  const properties = { "zookeeper.snapshotSizeFactor": -1 };
  const ensemble = await startEnsemble({ servers: 3, observers: 1, links, properties, start: false });
  try {
    recorder.scene("the first election");
    await ensemble.start();
    await writes(ensemble, recorder);
    await leftBehind(ensemble, recorder);
    await truncated(ensemble, recorder, links);
  } catch (error) {
    for (const { sid, process } of ensemble.members) console.error(`server ${sid}\n${process?.output.slice(-3000)}`);
    throw error;
  } finally {
    await ensemble.kill();
    links.stop();
  }
}

/** Two servers and an observer that know each other by several addresses; the observer is removed and comes back. */
async function reconfigured(recorder) {
  const links = await Links.start({ sids: [1, 2, 3], onChunk: recorder.onChunk });
  const properties = { ...superProperties, "zookeeper.multiAddress.reachabilityCheckEnabled": false };
  const config = { reconfigEnabled: true, "multiAddress.enabled": true };
  const ensemble = await startEnsemble({ servers: 2, observers: 1, links, properties, config, start: false });
  try {
    recorder.scene("multiAddress.enabled and reconfigEnabled");
    await ensemble.start();
    const leader = await ensemble.leader();
    const client = await session(leader);
    await client.ask("auth", { scheme: "digest", auth: superUser });
    recorder.scene("reconfig");
    await client.ask("reconfig", { leaving: "3" });
    const address = `${links.host(3)}:${links.quorumPort}:${links.electionPort}:observer`;
    await client.ask("reconfig", { joining: `server.3=${address};${ensemble.member(3).port}` });
    await client.close();
    await sleep(1500);
  } finally {
    await ensemble.kill();
    links.stop();
  }
}

const recorder = new Recorder();
await mainEnsemble(recorder);
await reconfigured(recorder);
// Dials of a server that is dead end at the cable.
const isUnanswered = ({ messages }) => messages.every(({ from }) => from === messages[0].from);
const text = toJson(recorder.connections.filter((connection) => !isUnanswered(connection)));
writeFileSync(target, text);
console.log(
  `${recorder.connections.length} connections, ${text.length} bytes; seen: ${[...recorder.seen].sort().join(" ")}`,
);
