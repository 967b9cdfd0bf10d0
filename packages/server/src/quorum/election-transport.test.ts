/** Who dials whom, what is sent again, and what is refused on the election port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeElectionGreeting, type Member } from "@vivarium/protocol";
import { ElectionTransport, type ElectionTransportOptions } from "./election-transport.ts";
import { capturedElections, joined, pieces, said } from "./testing/capture.ts";
import { ELECTION_PORT, hostOf, member, PeerBed, type RawEnd } from "./testing/peer-bed.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const payload = (word: string): Uint8Array => Buffer.from(word);

/** A message as it crosses the wire. */
function framed(word: string): Uint8Array {
  const frame = Buffer.alloc(4 + word.length);
  frame.writeInt32BE(word.length);
  frame.write(word, 4);
  return frame;
}

const greeting = (serverId: number, host = hostOf(serverId)): Uint8Array =>
  encodeElectionGreeting({ serverId, addresses: [{ host, port: ELECTION_PORT }] });

interface Server {
  readonly transport: ElectionTransport;
  /** "from: payload", in order. */
  readonly heard: string[];
}

class Bed extends PeerBed {
  readonly members = new Map<number, Member>();

  constructor(ids: number[] = [1, 2, 3]) {
    super();
    for (const id of ids) this.members.set(id, member(id));
  }

  async start(id: number, more: Partial<ElectionTransportOptions> = {}): Promise<Server> {
    const heard: string[] = [];
    const transport = new ElectionTransport({
      network: this.network.host(hostOf(id)),
      clock: this.clock,
      log: this.log,
      id,
      members: this.members,
      onMessage: (from, bytes) => heard.push(`${from}: ${text(bytes)}`),
      ...more,
    });
    await this.clock.runUntil(transport.listen());
    return { transport, heard };
  }
}

const orders = [
  [1, 2, 3],
  [3, 2, 1],
  [2, 3, 1],
];
for (const latencyMs of [0, 3, 30]) {
  test(`every order of sending gives one connection per pair and every message, over ${latencyMs} ms`, async () => {
    for (const order of orders) {
      for (const pauseMs of [0, 1, 7, 50, 300]) {
        const bed = new Bed();
        Object.assign(bed.network, {
          latencyMs: (from: string, to: string) => (from < to ? latencyMs : latencyMs * 2),
        });
        const servers = new Map<number, Server>();
        for (const id of [1, 2, 3]) servers.set(id, await bed.start(id));
        for (const from of order) {
          for (const to of [1, 2, 3]) servers.get(from)?.transport.send(to, payload(`vote ${from}`));
          await bed.settle(pauseMs);
        }
        await bed.settle(1000);
        for (const [id, { transport, heard }] of servers) {
          assert.deepEqual([...new Set(heard)].sort(), ["1: vote 1", "2: vote 2", "3: vote 3"], `${order} at ${id}`);
          for (const other of [1, 2, 3]) assert.equal(transport.isConnected(other), other !== id);
          assert.equal(transport.haveDelivered(), true);
          assert.ok(heard.length <= 6, `${heard}`);
        }
        for (const { transport } of servers.values()) await transport.close();
        assert.deepEqual(bed.warnings, []);
      }
    }
  });
}

test("the larger id greets and keeps the connection; the bytes are those of Apache's server", async () => {
  const connection = capturedElections.find(({ dialer, acceptor }) => dialer === 3 && acceptor === 2);
  assert.ok(connection);
  const [initial, ...notifications] = said(connection, 3);
  assert.ok(initial);
  const bed = new Bed([1, 2]);
  bed.members.set(3, member(3, "member-3"));
  const [ends] = [await bed.foreign(2, ELECTION_PORT)];
  const { transport } = await bed.start(3, { network: bed.network.host("member-3") });
  for (const { bytes } of notifications) {
    transport.send(2, bytes.subarray(4));
    await bed.settle(10);
  }
  assert.equal(ends.length, 1);
  assert.equal(ends[0]?.hex, [initial, ...notifications].map(({ hex }) => hex).join(""));
});

for (const size of [1, 7, 10_000]) {
  test(`what Apache's servers say on a kept connection, in pieces of ${size}`, async () => {
    let count = 0;
    for (const connection of capturedElections) {
      const { dialer, acceptor } = connection;
      const [initial, ...notifications] = said(connection, dialer);
      if (dialer < acceptor || initial?.kind !== "initial") continue;
      const bed = new Bed([1, 2, 3, 4]);
      const got: string[] = [];
      await bed.start(acceptor, {
        onMessage: (from, bytes) => {
          assert.equal(from, dialer);
          got.push(Buffer.from(bytes).toString("hex"));
        },
      });
      const raw = bed.dial(hostOf(dialer), acceptor, ELECTION_PORT);
      await bed.settle();
      const stream = joined([initial, ...notifications].map(({ bytes }) => bytes));
      for (const piece of pieces(stream, size)) raw.connection.write(piece);
      await bed.settle();
      assert.deepEqual(
        got,
        notifications.map(({ hex }) => hex?.slice(8)),
      );
      assert.deepEqual(bed.warnings, []);
      count += got.length;
    }
    assert.ok(count > 20);
  });
}

test("the smaller id says where it is, hangs up, and is dialled back; meanwhile it does not dial again", async () => {
  const bed = new Bed();
  const ends = await bed.foreign(3, ELECTION_PORT);
  const { transport } = await bed.start(1);
  for (const word of ["a", "b", "c"]) {
    transport.send(3, payload(word));
    await bed.settle(20);
  }
  assert.equal(ends.length, 1);
  assert.equal(ends[0]?.hex, Buffer.from(greeting(1)).toString("hex"));
  assert.equal(ends[0]?.hasEnded, true);
  assert.equal(transport.haveDelivered(), false);
  const back = bed.dial(hostOf(3), 1, ELECTION_PORT);
  back.connection.write(greeting(3));
  await bed.settle();
  assert.equal(back.hex, Buffer.from(framed("c")).toString("hex"), "only the latest message");
  assert.equal(transport.haveDelivered(), true);
  back.connection.destroy();
  await bed.settle();
  assert.equal(transport.isConnected(3), false);
  transport.connectAll();
  await bed.settle();
  assert.equal(ends.length, 2);
  transport.connectAll();
  await bed.settle(199);
  transport.connectAll();
  await bed.settle();
  assert.equal(ends.length, 2);
  await bed.settle(2);
  transport.connectAll();
  await bed.settle();
  assert.equal(ends.length, 3, "nobody dialled back, so it is told again");
});

const dialBacks: [what: string, said: Uint8Array, at: number][] = [
  ["the address of its greeting, which has changed", greeting(1, hostOf(7)), 7],
  ["its configured address when it only says 0.0.0.0 (ZOOKEEPER-2164)", greeting(1, "0.0.0.0"), 1],
  ["its configured address when it only says ::", greeting(1, "::"), 1],
  ["its configured address when it says none, as before 3.5", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1), 1],
];
for (const [what, bytes, at] of dialBacks) {
  test(`a server with a smaller id is dialled back at ${what}`, async () => {
    const bed = new Bed();
    const ends = await bed.foreign(at, ELECTION_PORT);
    await bed.start(2);
    const raw = bed.dial(hostOf(1), 2, ELECTION_PORT);
    raw.connection.write(bytes);
    await bed.settle();
    assert.equal(raw.isClosed, true);
    assert.equal(ends.length, 1);
    assert.equal(ends[0]?.hex, Buffer.from(greeting(2)).toString("hex"));
    assert.deepEqual(bed.warnings, []);
  });
}

test("a restarted server is heard again at once, and told the last message once more", async () => {
  const bed = new Bed();
  const { transport, heard } = await bed.start(3);
  const one = await bed.start(1);
  transport.send(1, payload("FOLLOWING"));
  await bed.settle(10);
  assert.deepEqual(one.heard, ["3: FOLLOWING"]);
  await one.transport.close();
  await bed.settle();
  const again = await bed.start(1);
  again.transport.send(3, payload("LOOKING"));
  await bed.settle(10);
  assert.deepEqual(again.heard, ["3: FOLLOWING"]);
  assert.deepEqual(heard, ["1: LOOKING"]);
});

test("a server that dials us although we thought it connected has lost that connection", async () => {
  const bed = new Bed();
  const ends = await bed.foreign(1, ELECTION_PORT);
  const { transport } = await bed.start(3);
  transport.send(1, payload("vote"));
  await bed.settle();
  bed.dial(hostOf(1), 3, ELECTION_PORT).connection.write(greeting(1));
  await bed.settle();
  assert.deepEqual(
    ends.map(({ isClosed }) => isClosed),
    [true, false],
  );
  assert.equal(ends[1]?.hex, Buffer.concat([greeting(3), framed("vote")]).toString("hex"));
});

test("who is dialled back while it still dials gives its own dial up", async () => {
  const bed = new Bed();
  Object.assign(bed.network, { latencyMs: (from: string) => (from === hostOf(3) ? 1 : 50) });
  const ends = await bed.foreign(3, ELECTION_PORT);
  const { transport } = await bed.start(1);
  transport.send(3, payload("vote"));
  await bed.settle(10);
  Object.assign(bed.network, { latencyMs: () => 1 });
  bed.dial(hostOf(3), 1, ELECTION_PORT).connection.write(greeting(3));
  await bed.settle(20);
  assert.equal(transport.isConnected(3), true);
  await bed.settle(100);
  assert.deepEqual(ends, []);
});

test("a newer connection takes the place of an older; another host behind the same id is told", async () => {
  const bed = new Bed();
  const { transport, heard } = await bed.start(1);
  const ends: RawEnd[] = [];
  for (const host of [hostOf(2), hostOf(2), hostOf(9)]) {
    const raw = bed.dial(host, 1, ELECTION_PORT);
    raw.connection.write(joined([greeting(2), framed(host)]));
    ends.push(raw);
    await bed.settle();
  }
  assert.deepEqual(heard, ["2: 10.0.0.2", "2: 10.0.0.2", "2: 10.0.0.9"]);
  assert.deepEqual(
    ends.map(({ isClosed }) => isClosed),
    [true, true, false],
  );
  assert.deepEqual(bed.warnings, [
    "a server's election connection now comes from another host: is its myid used twice?",
  ]);
  assert.equal(transport.isConnected(2), true);
});

test("a server with our own id is refused, and told apart by its address", async () => {
  const bed = new Bed();
  const { heard } = await bed.start(2);
  const raw = bed.dial(hostOf(8), 2, ELECTION_PORT);
  raw.connection.write(joined([greeting(2, hostOf(8)), framed("x")]));
  await bed.settle();
  assert.equal(raw.isClosed, true);
  assert.deepEqual(heard, []);
  const [record] = bed.logs.records;
  assert.match(record?.message ?? "", /this server's own id/);
  assert.match(String(record?.fields["peer"]), /^10\.0\.0\.8:/);
  assert.equal(record?.fields["itsAddresses"], "10.0.0.8:3888");
});

test("unknown servers are accepted and answered, never dialled, and forgotten when they go", async () => {
  const bed = new Bed();
  const { transport, heard } = await bed.start(2);
  transport.send(77, payload("nobody"));
  const raw = bed.dial(hostOf(7), 2, ELECTION_PORT);
  raw.connection.write(joined([greeting(77, hostOf(7)), framed("joining")]));
  await bed.settle();
  assert.deepEqual(heard, ["77: joining"]);
  transport.send(77, payload("vote"));
  await bed.settle();
  assert.equal(raw.hex, Buffer.from(framed("vote")).toString("hex"));
  raw.connection.destroy();
  await bed.settle();
  transport.send(77, payload("gone"));
  transport.connectAll();
  await bed.settle();
  assert.deepEqual(bed.warnings, []);
});

test("observers of old without an id get one each", async () => {
  const bed = new Bed();
  const { heard } = await bed.start(2);
  for (const word of ["a", "b"]) {
    const raw = bed.dial(hostOf(7), 2, ELECTION_PORT);
    raw.connection.write(joined([Uint8Array.of(0x7f, 255, 255, 255, 255, 255, 255, 255), framed(word)]));
    await bed.settle();
    assert.equal(raw.isClosed, false);
  }
  assert.deepEqual(heard, ["-1: a", "-2: b"]);
});

const long = (value: number): number[] => [
  ...Buffer.from(BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, "0"), "hex"),
];
const int = (value: number): number[] => long(value).slice(4);
const nonsense: [what: string, bytes: Uint8Array | number[], problem: RegExp][] = [
  ["an unknown version", long(-65530), /unknown election protocol version -65530/],
  ["a version far below zero", [0x80, 0, 0, 0, 0, 0, 0, 0], /2\^53/],
  ["no addresses", [...long(-65536), ...long(3), ...int(0)], /server 3 sent 0 bytes of addresses/],
  ["too many addresses", [...long(-65536), ...long(3), ...int(2049)], /server 3 sent 2049 bytes/],
  ["a negative length", [...long(-65535), ...long(3), ...int(-1)], /server 3 sent -1 bytes/],
  ["a bad port", encodeElectionGreeting({ serverId: 3, addresses: [{ host: "x", port: 70_000 }] }), /"x:70000"/],
  ["no port", [...long(-65536), ...long(3), ...int(4), 0x68, 0x6f, 0x73, 0x74], /"host" as an address/],
  ["a client's hello", Buffer.from("0000002d0000000000000000", "hex"), /a message of 0 bytes/],
  ["an empty message", joined([greeting(3), Uint8Array.from(int(0))]), /a message of 0 bytes/],
  ["a negative message", joined([greeting(3), Uint8Array.from(int(-5))]), /a message of -5 bytes/],
  ["a message too long", joined([greeting(3), Uint8Array.from(int(524_289))]), /a message of 524289 bytes/],
];
for (const [what, bytes, problem] of nonsense) {
  test(`${what} closes that connection with one line; others go on`, async () => {
    const bed = new Bed();
    const { transport, heard } = await bed.start(1);
    const good = bed.dial(hostOf(2), 1, ELECTION_PORT);
    good.connection.write(greeting(2));
    const raw = bed.dial(hostOf(3), 1, ELECTION_PORT);
    await bed.settle();
    raw.connection.write(Uint8Array.from(bytes));
    await bed.settle(6000);
    assert.equal(raw.isClosed, true);
    assert.equal(bed.problems.length, 1);
    assert.match(String(bed.problems[0]), problem);
    assert.match(String(bed.logs.records[0]?.fields["peer"]), /10\.0\.0\.3:/);
    good.connection.write(framed("still here"));
    await bed.settle();
    assert.deepEqual(heard, ["2: still here"]);
    assert.equal(transport.isConnected(3), false);
  });
}

test("a server may be heard while it is dialled, while it is to dial back, and while it is connected", async () => {
  const bed = new Bed();
  const ends = await bed.foreign(3, ELECTION_PORT);
  const unreachable: number[] = [];
  const { transport } = await bed.start(1, { onDisconnected: (id) => unreachable.push(id) });
  assert.equal(transport.mayBeHeard(3), false, "nobody has anything to tell it");
  for (const id of [2, 3]) {
    transport.send(id, payload("vote"));
    assert.equal(transport.mayBeHeard(id), true, "is dialled");
  }
  await bed.settle();
  assert.deepEqual([ends.length, unreachable], [1, [2]]);
  assert.equal(transport.mayBeHeard(2), false, "nobody listens there");
  assert.equal(transport.mayBeHeard(3), true, "dials back");
  const back = bed.dial(hostOf(3), 1, ELECTION_PORT);
  back.connection.write(greeting(3));
  await bed.settle(300);
  assert.equal(transport.mayBeHeard(3), true, "is connected");
  back.connection.destroy();
  await bed.settle();
  assert.equal(transport.mayBeHeard(3), false);
});

test("who says nothing, or not all, is hung up on after the time for it; a mere probe leaves no line", async () => {
  const bed = new Bed();
  await bed.start(1, { greetingTimeoutMs: 700 });
  const probe = bed.dial(hostOf(8), 1, ELECTION_PORT);
  const silent = bed.dial(hostOf(8), 1, ELECTION_PORT);
  const half = bed.dial(hostOf(3), 1, ELECTION_PORT);
  await bed.settle();
  probe.connection.end();
  half.connection.write(greeting(3).subarray(0, 15));
  await bed.settle(699);
  assert.deepEqual([probe.isClosed, silent.isClosed, half.isClosed], [true, false, false]);
  await bed.settle(1);
  assert.deepEqual([silent.isClosed, half.isClosed], [true, true]);
  assert.deepEqual(bed.problems, ["it did not say who it is within 700 ms"]);
});

test("a server that swallows everything delays nobody, and is dialled once at a time (ZOOKEEPER-3756)", async () => {
  const bed = new Bed();
  for (const other of [1, 3]) bed.network.cut(hostOf(2), hostOf(other));
  const network = bed.network.host(hostOf(3));
  const dialled: string[] = [];
  const connect: typeof network.connect = (options) => {
    dialled.push(options.host);
    return network.connect(options);
  };
  const three = await bed.start(3, { cnxTimeoutMs: 500, network: { ...network, connect } });
  const one = await bed.start(1);
  for (let i = 0; i < 4; i++) {
    three.transport.send(2, payload("lost"));
    three.transport.send(1, payload(`vote ${i}`));
    await bed.settle(100);
  }
  assert.deepEqual(one.heard, ["3: vote 0", "3: vote 1", "3: vote 2", "3: vote 3"]);
  assert.deepEqual(bed.warnings, []);
  await bed.settle(100);
  assert.deepEqual(bed.problems, ["10.0.0.2:3888: not connected after 500 ms"]);
  assert.deepEqual(dialled, [hostOf(2), hostOf(1)]);
  for (const other of [1, 3]) bed.network.heal(hostOf(2), hostOf(other));
  const two = await bed.start(2);
  three.transport.connectAll();
  await bed.settle();
  assert.deepEqual(two.heard, ["3: lost"]);
});

test("a slow reader gets the latest message, not those between", async () => {
  const bed = new Bed();
  const { transport } = await bed.start(1);
  const raw = bed.dial(hostOf(2), 1, ELECTION_PORT);
  raw.connection.write(greeting(2));
  await bed.settle();
  raw.connection.pause();
  const big = "x".repeat(70_000);
  for (const word of [big, "b", "c", "d"]) transport.send(2, payload(word));
  assert.equal(transport.haveDelivered(), false);
  await bed.settle();
  raw.connection.resume();
  await bed.settle();
  assert.equal(raw.hex, Buffer.concat([framed(big), framed("d")]).toString("hex"));
  assert.equal(transport.haveDelivered(), true);
});

test("a message to ourselves comes back, but not within send", async () => {
  const bed = new Bed();
  const { transport, heard } = await bed.start(2);
  transport.send(2, payload("mine"));
  assert.deepEqual(heard, []);
  await bed.settle();
  assert.deepEqual(heard, ["2: mine"]);
  assert.equal(transport.haveDelivered(), false, "there is nobody else");
  transport.send(2, payload("late"));
  await transport.close();
  await bed.settle();
  assert.deepEqual(heard, ["2: mine"]);
});

test("a server with several addresses is reached at the one that answers, and told all of ours", async () => {
  const bed = new Bed();
  const [near, far] = [member(1), member(1, hostOf(11))];
  bed.members.set(1, { ...near, addresses: [...near.addresses, ...far.addresses] });
  const two = { ...member(2), addresses: [...member(2).addresses, ...member(2).addresses] };
  bed.members.set(2, two);
  bed.network.cut(hostOf(2), hostOf(1));
  const ends: RawEnd[] = await bed.foreign(11, ELECTION_PORT);
  const { transport } = await bed.start(2, { onAllAddresses: true });
  transport.send(1, payload("v"));
  await bed.settle();
  const addresses = two.addresses.map(({ host, electionPort }) => ({ host, port: electionPort }));
  const expected = [encodeElectionGreeting({ serverId: 2, addresses }), framed("v")];
  assert.equal(ends[0]?.hex, Buffer.concat(expected).toString("hex"));
});

test("too many connections are refused with a line", async () => {
  const bed = new Bed();
  await bed.start(1, { maxConnections: 2 });
  const ends = [8, 8, 8].map((id) => bed.dial(hostOf(id), 1, ELECTION_PORT));
  await bed.settle();
  assert.deepEqual(
    ends.map(({ isClosed }) => isClosed),
    [false, false, true],
  );
  assert.deepEqual(bed.warnings, ["refused an election connection: too many"]);
});

test("a port in use is tried again, then given up with a message that names it", async () => {
  const bed = new Bed();
  const other = await bed.network.host(hostOf(1)).listen({ port: ELECTION_PORT }, () => {});
  await assert.rejects(bed.start(1), /cannot listen for other servers on 10\.0\.0\.1:3888: .*in use/);
  assert.equal(bed.clock.monotonicMs(), 2000);
  const patient = bed.start(1, { bindAttempts: 0 });
  await other.close();
  const { transport } = await patient;
  assert.deepEqual(transport.ports, [ELECTION_PORT]);
  await transport.close();
});

test("closed, a transport says, hears and dials nothing more", async () => {
  const bed = new Bed();
  const one = await bed.start(1);
  const three = await bed.start(3);
  three.transport.send(1, payload("before"));
  await bed.settle();
  await one.transport.close();
  three.transport.send(1, payload("after"));
  one.transport.send(3, payload("never"));
  one.transport.connectAll();
  await bed.settle(6000);
  assert.deepEqual(one.heard, ["3: before"]);
  assert.deepEqual(three.heard, []);
  assert.equal(three.transport.isConnected(1), false);
});
