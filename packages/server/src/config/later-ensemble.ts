// Settings of the ensemble that have no effect yet, or none at all.
// Facts: reference/zookeeper-features.md 4.5; QuorumPeerConfig, Learner, Leader, FastLeaderElection, QuorumCnxManager.

import { choice, flag, integer, strictFlag, text, word } from "./kinds.ts";
import type { Feature, Setting } from "./setting.ts";
import { later } from "./setting.ts";

// Ranges are left to the ensemble: Apache's standalone server starts with whatever number stands there.
const ensemble: Feature = { name: "the ensemble", quiet: true };
const localSessions: Feature = { name: "local sessions", quiet: false };
const readOnly: Feature = { name: "read-only mode", quiet: false };

const ms = integer({ unit: "ms" });
const count = integer();

const fileKeys: Setting[] = later(ensemble, "zoo.cfg", [
  ["electionAlg", choice({ "3": 3 }), "3", "The election algorithm; 3 is the only one left."],
  [
    "peerType",
    choice({ participant: "", observer: "" }),
    "participant",
    "Role of this server; its server line decides.",
  ],
  ["observerMasterPort", integer({ max: 65_535 }), undefined, "Port on which a follower serves observers."],
  ["oraclePath", word("file"), undefined, "File that tells which of two servers may go on alone."],
  ["quorum.cnxn.threads.size", count, "20", "Threads for authenticating other servers."],
  ["multiAddress.enabled", strictFlag, "false", "Allows several addresses per server.", { form: "both" }],
  ["multiAddress.reachabilityCheckEnabled", strictFlag, "true", "Probes those addresses.", { form: "both" }],
  ["multiAddress.reachabilityCheckTimeoutMs", ms, "1000", "How long a probe may take.", { form: "both" }],
]);

const properties: Setting[] = later(ensemble, "property", [
  ["enableEagerACLCheck", flag, "false", "A learner checks ACLs before it forwards a write."],
  ["quorumCnxnTimeoutMs", ms, "-1", "Read timeout of election connections; -1: syncLimit."],
  ["electionPortBindRetry", integer({ min: 0 }), "3", "Attempts to listen on the election port; 0: forever."],
  ["leaderConnectDelayDuringRetryMs", ms, "100", "Pause before a learner tries its leader again."],
  ["leader.maxTimeToWaitForEpoch", ms, "-1", "Longest wait of a leader for its quorum; -1: initLimit."],
  ["leader.ackLoggingFrequency", integer({ min: 1 }), "1000", "One in so many acknowledgements is measured."],
  ["leader.closeSocketAsync", flag, "false", "Closes learner connections in the background."],
  ["learner.closeSocketAsync", flag, "false", "Closes the connection to the leader in the background."],
  ["learner.asyncSending", flag, "false", "Sends to the leader in the background."],
  ["observer.reconnectDelayMs", ms, "0", "Pause before an observer looks for its leader again."],
  ["observer.election.DelayMs", ms, "200", "Pause before an observer takes part in an election."],
  [
    "observerMaster.sizeLimit",
    integer({ min: 0, unit: "bytes" }),
    "33554432",
    "Proposals a follower keeps for observers.",
  ],
  ["follower.skipLearnerRequestToNextProcessor", flag, "false", "Saves memory on learners."],
  ["forward_learner_requests_to_commit_processor_disabled", flag, "false", "Saves memory on the leader."],
  ["forceSnapshotSync", flag, "false", "Always sends a snapshot, for tests."],
  ["messageTracker.Enabled", flag, "false", "Remembers the last messages with each peer for its log."],
  ["messageTracker.BufferSize", integer({ min: 1 }), "10", "How many of them."],
  ["ensembleAuthName", text("name"), undefined, "Names a client may give to be sure it reached the right ensemble."],
]);

const unprefixed: Setting[] = later(ensemble, "unprefixed", [
  ["leader.nodelay", flag, "true", "TCP_NODELAY of the leader's connections."],
  ["follower.nodelay", flag, "true", "TCP_NODELAY of a learner's connection."],
]);

export const laterEnsembleSettings: Setting[] = [
  ...fileKeys,
  ...properties,
  ...unprefixed,
  ...later(localSessions, "zoo.cfg", [
    ["localSessionsEnabled", strictFlag, "false", "Sessions that only their own server knows."],
    ["localSessionsUpgradingEnabled", strictFlag, "false", "Makes a local session global when it needs it."],
  ]),
  ...later(readOnly, "unprefixed", [
    ["readonlymode.enabled", flag, "false", "A server without a quorum answers reads. Also allows the word isro."],
  ]),
  ...later({ name: "the simulator", quiet: false }, "unprefixed", [
    ["zookeeper.test.allowDiscontinuousProposals", flag, "false", "For Apache's own tests."],
    ["zookeeper.testingonly.initialZxid", text("zxid"), undefined, "For Apache's own tests."],
  ]),
];
