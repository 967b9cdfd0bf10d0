// Settings of a member of an ensemble. Facts: reference/zookeeper-features.md 4.5; QuorumPeerConfig, Learner, Leader,
// FastLeaderElection, QuorumCnxManager.

import { decimal, flag, hexadecimalZxid, integer, strictFlag, word, yesNo } from "./kinds.ts";
import { built, optional } from "./setting.ts";

// Ranges are for a member of an ensemble only: Apache's standalone server starts with whatever number stands there.
const ticks = integer({ unit: "ticks" });

export const ensembleSettings = {
  initLimit: optional("initLimit", {
    form: "zoo.cfg",
    kind: ticks,
    doc: "Time a learner has to connect to the leader and catch up. Required in an ensemble.",
  }),
  syncLimit: optional("syncLimit", {
    form: "zoo.cfg",
    kind: ticks,
    doc: "Time a learner may be silent, or a proposal unanswered. Required in an ensemble.",
  }),
  connectToLearnerMasterLimit: optional("connectToLearnerMasterLimit", {
    form: "zoo.cfg",
    kind: integer({ min: 0, unit: "ticks" }),
    doc: "Time a learner has to reach its leader's port. Left out or 0: initLimit.",
  }),
  quorumListenOnAllIps: built("quorumListenOnAllIPs", {
    form: "zoo.cfg",
    kind: strictFlag,
    default: "false",
    doc: "Listens for other servers on every address of the machine.",
  }),
  syncEnabled: built("syncEnabled", {
    form: "both",
    also: ["observer.syncEnabled"],
    kind: strictFlag,
    default: "true",
    doc: "Observers write log and snapshots. Ours always do: it costs little and makes their restart cheap.",
  }),
  dynamicConfigFile: optional("dynamicConfigFile", {
    form: "zoo.cfg",
    kind: word("file"),
    doc: "The file that holds server.N, group.N and weight.N in place of this one. Read at start.",
  }),
  membershipVersion: built("version", {
    form: "zoo.cfg",
    kind: hexadecimalZxid,
    default: "0",
    doc: "Version of the membership: the zxid of the reconfiguration that made it. The end of a dynamic file's name tells it too.",
  }),
  commitLogCount: built("commitLogCount", {
    form: "property",
    kind: integer({ atLeast: 500 }),
    default: "500",
    doc: "Recent transactions kept in memory for learners. At least 500.",
  }),
  snapshotSizeFactor: built("snapshotSizeFactor", {
    form: "property",
    kind: decimal(),
    default: "0.33",
    doc: "A learner is sent logs up to this share of the tree's size, and otherwise a snapshot. Negative: always a snapshot.",
  }),
  maxConcurrentSnapSyncs: built("leader.maxConcurrentSnapSyncs", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "10",
    doc: "While so many learners are being sent a snapshot, observers are sent away, to come again.",
  }),
  maxConcurrentDiffSyncs: built("leader.maxConcurrentDiffSyncs", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "100",
    doc: "The same for learners that are sent only what they lack.",
  }),
  minNotificationIntervalMs: built("fastleader.minNotificationInterval", {
    form: "property",
    kind: integer({ min: 1, unit: "ms" }),
    default: "200",
    doc: "First pause before a vote that nobody answered is sent again.",
  }),
  maxNotificationIntervalMs: built("fastleader.maxNotificationInterval", {
    form: "property",
    kind: integer({ min: 1, unit: "ms" }),
    default: "60000",
    doc: "Longest such pause.",
  }),
  leaderServes: built("leaderServes", {
    form: "property",
    kind: yesNo({ unlessSaid: true }),
    default: "yes",
    doc: "Whether the leader takes clients.",
  }),
  cnxTimeoutMs: built("cnxTimeout", {
    form: "property",
    kind: integer({ min: 1, unit: "ms" }),
    default: "5000",
    doc: "Time to connect to another server for an election.",
  }),
  peerTcpKeepAlive: built("tcpKeepAlive", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "TCP keep-alive on election connections.",
  }),
};
