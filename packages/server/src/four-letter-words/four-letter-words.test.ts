// Four-letter words: formats to the letter, because tools parse them; who may ask; and that every answer arrives whole.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AddWatchMode, CreateMode } from "@vivarium/protocol";
import { addWatch, create, exists, getChildren, getData, setData, watchAll } from "../testing/requests.ts";
import { TestBed } from "../testing/test-bed.ts";

const ALL = "conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs".split(" ");

/** What a word needs behind it. */
const argumentOf = (word: string) => (word === "stmk" ? "\0\0\0\0\0\0\x01\x32" : "");

async function busyBed() {
  const bed = await TestBed.start();
  const client = await bed.client({ timeOut: 10_000 });
  await client.call(create("/a", { data: "x" }));
  await client.call(create("/e", { data: "x", mode: CreateMode.EPHEMERAL }));
  await client.call(exists("/a", true));
  await client.call(getData("/e", true));
  await client.call(getChildren("/", true));
  const sid = `0x${client.session.sessionId.toString(16)}`;
  return { bed, client, sid, port: client.connection.localPort };
}

const VERSION = "Zookeeper version: 3\\.9\\.5-vivarium-[0-9.]+, built on .* UTC\n";
const SUMMARY = [
  "Latency min/avg/max: 0/0\\.0/0\n",
  "Received: N\n",
  "Sent: N\n",
  "Connections: 2\n",
  "Outstanding: 0\n",
  "Zxid: 0x3\n",
  "Mode: standalone\n",
  "Node count: 7\n",
].join("");

const formats: Record<string, string> = {
  conf: [
    "clientPort=2181\n",
    "secureClientPort=-1\n",
    "dataDir=/data/version-2\n",
    "dataDirSize=N\n",
    "dataLogDir=/data/version-2\n",
    "dataLogSize=N\n",
    "tickTime=1000\n",
    "maxClientCnxns=60\n",
    "minSessionTimeout=2000\n",
    "maxSessionTimeout=20000\n",
    "clientPortListenBacklog=-1\n",
    "serverId=0\n",
  ].join(""),
  cons: [
    " /10\\.0\\.0\\.9:PORT\\[1\\]\\(queued=0,recved=6,sent=6,sid=SID,lop=GETC,est=N,to=10000,lcxid=0x5,lzxid=0x3,",
    "lresp=N,llat=0,minlat=0,avglat=0,maxlat=0\\)\n",
    " /10\\.0\\.0\\.9:N\\[0\\]\\(queued=0,recved=1,sent=0\\)\n",
    "\n",
  ].join(""),
  crst: "Connection stats reset\\.\n",
  dirs: "datadir_size: N\nlogdir_size: N\n",
  dump: [
    "SessionTracker dump:\n",
    "Session Sets \\(1\\)/\\(1\\):\n",
    "1 expire at Wed Jul 03 09:46:51 UTC 2024:\n\tSID\n",
    "ephemeral nodes dump:\n",
    "Sessions with Ephemerals \\(1\\):\nSID:\n\t/e\n",
    "Connections dump:\n",
    "Connections Sets \\(1\\)/\\(2\\):\n",
    "2 expire at Wed Jul 03 09:47:00 UTC 2024:\n",
    "\tip: /10\\.0\\.0\\.9:PORT sessionId: SID\n\tip: /10\\.0\\.0\\.9:N sessionId: 0x0\n",
  ].join(""),
  gtmk: "306",
  hash: "",
  isro: "rw",
  ruok: "imok",
  srst: "Server stats reset\\.\n",
  srvr: VERSION + SUMMARY,
  stat: [
    VERSION,
    "Clients:\n",
    " /10\\.0\\.0\\.9:PORT\\[1\\]\\(queued=0,recved=6,sent=6\\)\n",
    " /10\\.0\\.0\\.9:N\\[0\\]\\(queued=0,recved=1,sent=0\\)\n",
    "\n",
    SUMMARY,
  ].join(""),
  stmk: "306",
  wchc: "SID\n\t/a\n\t/e\n\n",
  wchp: "/a\n\tSID\n/e\n\tSID\n\n",
  wchs: "1 connections watching 2 paths\nTotal watches:2\n",
};

for (const [word, format] of Object.entries(formats)) {
  test(`${word} is answered line for line as Apache ZooKeeper does`, async () => {
    const { bed, sid, port } = await busyBed();
    const text = await bed.word(word + argumentOf(word));
    const pattern = format.replaceAll("SID", sid).replaceAll("PORT", String(port)).replaceAll(/\bN\b/g, "[0-9]+");
    assert.match(text, new RegExp(`^${pattern}$`));
    await bed.stop();
  });
}

test("envi has a line for each key that Apache ZooKeeper prints, in its order", async () => {
  const bed = await TestBed.start();
  const [first, ...lines] = (await bed.word("envi")).trimEnd().split("\n");
  assert.equal(first, "Environment:");
  assert.deepEqual(
    lines.map((line) => line.slice(0, line.indexOf("="))),
    [
      "zookeeper.version",
      "host.name",
      ...["version", "vendor", "home", "class.path", "library.path", "io.tmpdir", "compiler"].map(
        (key) => `java.${key}`,
      ),
      ...["name", "arch", "version"].map((key) => `os.${key}`),
      ...["name", "home", "dir"].map((key) => `user.${key}`),
      ...["free", "max", "total"].map((key) => `os.memory.${key}`),
    ],
  );
  await bed.stop();
});

test("mntr: every line is a key and a value, no key twice, and figures follow what happened", async () => {
  const { bed, client } = await busyBed();
  const lines = (await bed.word("mntr")).trimEnd().split("\n");
  for (const line of lines.slice(2)) assert.match(line, /^zk_[a-z0-9_]+\t-?[0-9]+(\.[0-9]{1,4})?$/);
  const figures = new Map(lines.map((line) => line.split("\t") as [string, string]));
  assert.equal(figures.size, lines.length);
  const expected = {
    zk_server_state: "standalone",
    zk_packets_received: "7",
    zk_packets_sent: "6",
    zk_num_alive_connections: "2",
    zk_znode_count: "7",
    zk_watch_count: "3",
    zk_ephemerals_count: "1",
    zk_global_sessions: "1",
    zk_cnt_readlatency: "3",
    zk_cnt_updatelatency: "3",
    zk_cnt_fsynctime: "3",
    zk_sum_sync_processor_batch_size: "3",
    zk_cnt_snapshottime: "1",
    zk_cnt_dbinittime: "1",
    zk_connection_request_count: "1",
    zk_connection_drop_count: "0",
    zk_connection_drop_probability: "0.0",
    zk_min_client_response_size: "22",
    zk_max_client_response_size: "89",
    zk_last_client_response_size: "43",
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(figures.get(key), value, key);
  assert.ok(!figures.has("zk_peer_state"), "only a member of an ensemble has one");
  client.connection.destroy();
  await bed.settle();
  assert.match(await bed.word("mntr"), /^zk_connection_drop_count\t1$/m);
  await bed.stop();
});

test("mntr: changes by how many watchers they were told to", async () => {
  const bed = await TestBed.start();
  const [one, other] = [await bed.client({ timeOut: 10_000 }), await bed.client({ timeOut: 10_000 })];
  for (const client of [one, other]) {
    await client.call(exists("/told", true));
    await client.call(getChildren("/", true));
  }
  await one.call(create("/told"));
  await one.call(getData("/told", true));
  await one.call(setData("/told", "x"));
  const figures = await bed.word("mntr");
  for (const [what, count, sum] of [
    ["created", 1, 2],
    ["children", 1, 2],
    ["changed", 1, 1],
    ["deleted", 0, 0],
  ]) {
    assert.ok(figures.includes(`zk_cnt_node_${what}_watch_count\t${count}\n`), `${what} in\n${figures}`);
    assert.ok(figures.includes(`zk_sum_node_${what}_watch_count\t${sum}\n`), `${what} in\n${figures}`);
  }
  await bed.stop();
});

test("srst and crst begin the counting anew", async () => {
  const { bed, client } = await busyBed();
  await bed.word("srst");
  const after = await bed.word("mntr");
  assert.match(after, /^zk_packets_received\t1$/m);
  assert.match(after, /^zk_cnt_updatelatency\t0$/m);
  assert.match(await bed.word("cons"), /recved=6/);
  await bed.word("crst");
  assert.match(
    await bed.word("stat"),
    new RegExp(`:${client.connection.localPort}\\[1\\]\\(queued=0,recved=0,sent=0\\)`),
  );
  await bed.stop();
});

test("stmk sets what gtmk tells, and waits for its eight bytes", async () => {
  const bed = await TestBed.start();
  const client = await bed.connect();
  client.sendBytes("stmk");
  await bed.settle();
  assert.equal(client.text, "");
  client.sendBytes("\0\0\0\0\0\0\0\x07");
  await bed.settle();
  assert.equal(client.text, "7");
  assert.equal(await bed.word("gtmk"), "7");
  await bed.word(`stmk${argumentOf("stmk")}`);
  await bed.stop();
});

test("wchs counts standard watches as Apache ZooKeeper does, mntr all of them", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  await client.call(addWatch("/p", AddWatchMode.PERSISTENT));
  await client.call(exists("/a", true));
  assert.match(await bed.word("wchs"), /^1 connections watching 2 paths\nTotal watches:2\n$/);
  await bed.stop();
});

test("hash tells the digest of every 128th transaction", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  for (let i = 0; i < 300; i++) client.send(setData("/none", "x"));
  await bed.settle();
  assert.match(await bed.word("hash"), /^80: [0-9]+\n100: [0-9]+\n$/);
  await bed.stop();
});

test("only words of 4lw.commands.whitelist are answered, the others told so; srvr always", async () => {
  const bed = await TestBed.start({ "4lw.commands.whitelist": "ruok, mntr" });
  for (const word of ALL) {
    const text = await bed.word(word + argumentOf(word));
    const isRefused = text === `${word} is not executed because it is not in the whitelist.\n`;
    assert.equal(isRefused, !["ruok", "mntr", "srvr"].includes(word), `${word}: ${text}`);
  }
  await bed.stop();
});

test("while nobody is served, words say so, except those that need no server", async () => {
  const bed = await TestBed.start();
  const { listener } = bed.server;
  const { service } = listener;
  listener.service = null;
  const without = { envi: /^Environment:/, gtmk: /^306$/, isro: /^null$/, ruok: /^imok$/, stmk: /^306$/ };
  for (const word of ALL) {
    const expected = new Map(Object.entries(without)).get(word);
    const text = await bed.word(word + argumentOf(word));
    assert.match(text, expected ?? /^This ZooKeeper instance is not currently serving requests\n$/, word);
  }
  const client = await bed.connect();
  assert.equal(await client.hello(), undefined);
  assert.equal(client.isClosed, true);
  listener.service = service;
  await bed.stop();
});

for (const word of ALL) {
  test(`${word} is answered to the end, once, also to who has said that no more will come`, async () => {
    const { bed } = await busyBed();
    const whole = await bed.word(word + argumentOf(word));
    const client = await bed.connect();
    client.sendBytes(word + argumentOf(word));
    client.connection.end();
    await bed.settle();
    assert.equal(client.text.split("\n").length, whole.split("\n").length);
    assert.equal(client.isClosed, true);
    const chatty = await bed.connect();
    for (const piece of [word.slice(0, 3), word.slice(3), argumentOf(word), "\n", word]) {
      chatty.sendBytes(piece);
      await bed.clock.run(1);
    }
    assert.equal(chatty.text.split("\n").length, whole.split("\n").length);
    assert.equal(bed.server.listener.size, 1);
    await bed.stop();
  });
}

test("telnet's interrupt ends the connection without an answer and without a line in the log", async () => {
  const bed = await TestBed.start();
  const client = await bed.connect();
  client.sendBytes(Uint8Array.of(0xff, 0xf4, 0xff, 0xfd, 6));
  await bed.settle();
  assert.equal(client.isClosed, true);
  assert.equal(client.text, "");
  assert.deepEqual(bed.said("warn"), []);
  await bed.stop();
});

test("a long answer is given in pieces: others are served meanwhile, and a slow reader takes no memory", async () => {
  const bed = await TestBed.start({ maxClientCnxns: 0 });
  const client = await bed.client();
  const paths = Array.from({ length: 40_000 }, (_, i) => `/watched/by/somebody/node-${i}`);
  await client.call(watchAll(paths.slice(0, 20_000)));
  await client.call(watchAll(paths.slice(20_000)));
  const slow = await bed.connect();
  slow.connection.pause();
  slow.sendBytes("wchp");
  await bed.clock.run(2000);
  const [connection] = [...bed.server.listener.connections()].filter(({ state }) => state === "answering");
  assert.ok(connection);
  const waiting = connection.socket.bufferedBytes + connection.out.length;
  assert.ok(waiting > 1_000_000 && waiting < 1_300_000, `${waiting} bytes wait`);
  assert.equal(await client.outcome(exists("/")), "OK");
  slow.connection.resume();
  await bed.clock.run(2000);
  assert.equal(slow.text.split("\n").length, 2 * paths.length + 2);
  assert.equal(slow.isClosed, true);
  await bed.stop();
});
