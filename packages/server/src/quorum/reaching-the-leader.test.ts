/** How learners and leader find each other on the quorum port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { QuorumPacketType, quorumPacket } from "@vivarium/protocol";
import { type DialLeaderOptions, dialLeader } from "./learner-dialer.ts";
import type { PacketStream } from "./packet-stream.ts";
import { QuorumListener, type QuorumListenerOptions } from "./quorum-listener.ts";
import { hostOf, member, PeerBed, QUORUM_PORT, type RawEnd } from "./testing/peer-bed.ts";

class Bed extends PeerBed {
  readonly streams: PacketStream[] = [];

  lead(id: number, more: Partial<QuorumListenerOptions> = {}): Promise<QuorumListener> {
    return QuorumListener.listen({
      network: this.network.host(hostOf(id)),
      clock: this.clock,
      logger: this.logs.logger,
      addresses: member(id).addresses,
      initTimeoutMs: 10_000,
      onStream: (stream) => this.streams.push(stream),
      ...more,
    });
  }

  follow(id: number, more: Partial<DialLeaderOptions> = {}): Promise<PacketStream> {
    return dialLeader({
      network: this.network.host(hostOf(id)),
      clock: this.clock,
      logger: this.logs.logger,
      leader: member(1),
      initTimeoutMs: 10_000,
      ...more,
    });
  }
}

test("packets go both ways", async () => {
  const bed = new Bed();
  await bed.lead(1);
  const learner = await bed.clock.runUntil(bed.follow(2));
  const told: string[] = [];
  const [leader] = bed.streams;
  assert.ok(leader);
  leader.onPacket = ({ zxid }) => told.push(`leader ${zxid}`);
  learner.onPacket = ({ zxid }) => told.push(`learner ${zxid}`);
  learner.send(quorumPacket(QuorumPacketType.FOLLOWERINFO, 1));
  await bed.settle();
  leader.send(quorumPacket(QuorumPacketType.LEADERINFO, 2));
  await bed.settle();
  assert.deepEqual(told, ["leader 1", "learner 2"]);
  assert.equal(learner.name, "server 1 at 10.0.0.1:2888");
  assert.match(leader.name, /^10\.0\.0\.2:/);
});

test("a leader that is not yet there is dialled five times, 100 ms apart", async () => {
  const bed = new Bed();
  const refused = assert.rejects(bed.follow(2), {
    message: "cannot connect to the leader, server 1, in 5 tries: 10.0.0.1:2888: connect ECONNREFUSED 10.0.0.1:2888",
  });
  await bed.clock.runUntil(refused);
  assert.equal(bed.clock.monotonicMs(), 400);
  const late = bed.follow(2);
  await bed.settle(350);
  await bed.lead(1);
  const stream = await bed.clock.runUntil(late);
  assert.equal(stream.closeReason, null);
});

test("all tries together stay within the budget, also when nothing answers at all", async () => {
  const bed = new Bed();
  const refused = assert.rejects(bed.follow(2, { budgetMs: 250 }), /in 3 tries/);
  await bed.clock.runUntil(refused);
  assert.equal(bed.clock.monotonicMs(), 200);
  bed.network.cut(hostOf(1), hostOf(2));
  const swallowed = assert.rejects(bed.follow(2, { budgetMs: 3000 }), /in one try: .*not connected after 3000 ms/);
  await bed.clock.runUntil(swallowed);
  assert.equal(bed.clock.monotonicMs(), 3200);
});

test("of several addresses the first that answers is taken and the others are hung up", async () => {
  const bed = new Bed();
  const latency = new Map([
    [hostOf(1), 50],
    [hostOf(11), 5],
  ]);
  const ends: RawEnd[][] = [await bed.foreign(1, QUORUM_PORT), await bed.foreign(11, QUORUM_PORT)];
  Object.assign(bed.network, { latencyMs: (_: string, to: string) => latency.get(to) ?? 0 });
  const addresses = [...member(1).addresses, ...member(1, hostOf(11)).addresses, ...member(1, hostOf(12)).addresses];
  const stream = await bed.clock.runUntil(bed.follow(2, { leader: { ...member(1), addresses } }));
  assert.equal(stream.name, "server 1 at 10.0.0.11:2888");
  await bed.settle(200);
  assert.equal(stream.closeReason, null);
  assert.deepEqual([ends[0]?.length, ends[1]?.length], [0, 1]);
});

test("a learner that says nothing is hung up on after initLimit", async () => {
  const bed = new Bed();
  await bed.lead(1, { initTimeoutMs: 2000 });
  const raw = bed.dial(hostOf(2), 1, QUORUM_PORT);
  await bed.settle(1999);
  assert.equal(raw.isClosed, false);
  await bed.settle(1);
  assert.equal(raw.isClosed, true);
  assert.deepEqual(bed.problems, ["nothing was received for 2000 ms"]);
});

test("a leader that says nothing is left after initLimit", async () => {
  const bed = new Bed();
  await bed.foreign(1, QUORUM_PORT);
  const stream = await bed.clock.runUntil(bed.follow(2, { initTimeoutMs: 1500 }));
  await bed.settle(1500);
  assert.equal(stream.closeReason, "nothing was received for 1500 ms");
});

test("more connections than allowed are refused, until one is over", async () => {
  const bed = new Bed();
  await bed.lead(1, { maxConnections: 1 });
  const first = bed.dial(hostOf(2), 1, QUORUM_PORT);
  const second = bed.dial(hostOf(3), 1, QUORUM_PORT);
  await bed.settle();
  assert.deepEqual([first.isClosed, second.isClosed], [false, true]);
  first.connection.end();
  await bed.settle();
  const third = bed.dial(hostOf(3), 1, QUORUM_PORT);
  await bed.settle();
  assert.equal(third.isClosed, false);
  assert.equal(bed.streams.length, 2);
  assert.deepEqual(bed.warnings, ["refused a learner: too many connections on the quorum port"]);
});

test("closed, the port is free again and the streams stay", async () => {
  const bed = new Bed();
  const listener = await bed.lead(1);
  await assert.rejects(bed.lead(1), /cannot listen for other servers on 10\.0\.0\.1:2888/);
  const stream = await bed.clock.runUntil(bed.follow(2));
  await listener.close();
  assert.equal(stream.closeReason, null);
  const again = await bed.lead(1);
  assert.deepEqual(again.ports, [QUORUM_PORT]);
});
