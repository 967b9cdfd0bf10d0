// Real cables cut between real servers of both kinds, each in a network namespace of its own, under load. Clients still
// reach every server: one that has lost the others must serve nobody, and must not have answered from the past.

import { Namespaces, whyNoNamespaces } from "../lib/namespaces.mjs";
import { until } from "../lib/net.mjs";
import { ran } from "./mixed.mjs";
import { Trial } from "./trial.mjs";

const kinds = ["vivarium", "vivarium", "apache"];
const sids = [1, 2, 3];
/** Silence is noticed within a second; a server that was elected and cannot be reached is given up within four. */
const config = { tickTime: 250, syncLimit: 4, initLimit: 16, clientPortAddress: "0.0.0.0" };

const both = (action) => (net, leader, others) => Promise.all(others.map((other) => action(net, leader, other)));
const isolated = {
  cut: (net, { sid }) => net.unplug(sid),
  heal: (net, { sid }) => net.plugIn(sid),
};

/**
 * What is done to whom; who then serves nobody: the leader, or a follower while the leader stays.
 * @type {{title: string, leader: string, loses: "leader" | "follower", cut: Function, heal: Function}[]}
 */
const cuts = [
  { title: "the leader is cut off", leader: "vivarium", loses: "leader", ...isolated },
  { title: "the leader is cut off", leader: "apache", loses: "leader", ...isolated },
  {
    title: "nothing the leader sends arrives",
    leader: "vivarium",
    loses: "leader",
    cut: both((net, leader, other) => net.block(leader.sid, other.sid)),
    heal: both((net, leader, other) => net.unblock(leader.sid, other.sid)),
  },
  {
    title: "nothing arrives at the leader",
    leader: "apache",
    loses: "leader",
    cut: both((net, leader, other) => net.block(other.sid, leader.sid)),
    heal: both((net, leader, other) => net.unblock(other.sid, leader.sid)),
  },
  {
    title: "nothing arrives at the leader",
    leader: "vivarium",
    loses: "leader",
    cut: both((net, leader, other) => net.block(other.sid, leader.sid)),
    heal: both((net, leader, other) => net.unblock(other.sid, leader.sid)),
  },
  {
    title: "a follower is cut off",
    leader: "vivarium",
    loses: "follower",
    cut: (net, _, [follower]) => isolated.cut(net, follower),
    heal: (net, _, [follower]) => isolated.heal(net, follower),
  },
  {
    title: "the leader reaches only one of two",
    leader: "vivarium",
    loses: "follower",
    cut: (net, { sid }, [{ sid: other }]) => Promise.all([net.block(sid, other), net.block(other, sid)]),
    heal: (net, { sid }, [{ sid: other }]) => Promise.all([net.unblock(sid, other), net.unblock(other, sid)]),
  },
];

async function cutAndHeal(trial, net, { loses, cut, heal }) {
  const leader = await trial.ensemble.leader();
  const others = trial.ensemble.members.filter((member) => member !== leader);
  const loser = loses === "leader" ? leader : others[0];
  trial.mayBeDeposed = leader;
  await cut(net, leader, others);
  try {
    await until(`server ${loser.sid} to serve nobody`, async () => (await loser.mode()) === undefined);
    const leads = async (member) => member !== loser && (await member.mode()) === "leader";
    await until("a leader of the others", async () =>
      (await Promise.all([leader, ...others].map(leads))).includes(true),
    );
    await trial.load.progress();
    if ((await loser.mode()) !== undefined) throw new Error(`server ${loser.sid} serves without a quorum`);
  } finally {
    await heal(net, leader, others);
  }
  await Promise.all(trial.ensemble.members.map((member) => member.serving({ timeoutMs: 40_000 })));
  trial.mayBeDeposed = undefined;
}

/** One server has a bad line: it is slow, and copies everything from the leader over it. */
async function slowLine(trial, net) {
  const follower = await trial.follower("vivarium");
  const how = await net.slowDown(follower.sid).catch((error) => {
    console.log(`cut links: SKIPPED slow lines, which this kernel cannot do: ${error.message}`);
  });
  if (how === undefined) return;
  await trial.step(`led by ${(await trial.ensemble.leader()).kind}: a follower's line is slow (${how})`, async () => {
    await trial.load.progress();
    await trial.wipeAndRestart(follower);
    await net.speedUp(follower.sid);
  });
}

async function perform(options, net) {
  const trial = new Trial({ kinds, config, namespaces: net, ...options });
  return ran(trial, async () => {
    await trial.begin([1, 2]);
    for (const one of cuts) {
      await trial.lead(one.leader);
      await trial.step(`led by ${one.leader}: ${one.title}`, () => cutAndHeal(trial, net, one));
    }
    await slowLine(trial, net);
  });
}

export const cutLinks = {
  title: "cut links: two Vivarium, one Apache",
  async run(options) {
    const problem = await whyNoNamespaces();
    if (problem !== undefined) return { ok: [], failures: [], seconds: 0, skipped: problem };
    const net = await Namespaces.create(sids);
    try {
      return await perform(options, net);
    } finally {
      net.remove();
    }
  },
};
