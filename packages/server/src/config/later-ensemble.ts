// Settings of the ensemble that have no effect yet.
// Facts: reference/zookeeper-features.md 4.5; QuorumPeerConfig, Learner, Leader, FastLeaderElection, QuorumCnxManager.

import { flag, integer, strictFlag, text, word } from "./kinds.ts";
import type { Setting } from "./setting.ts";
import { later } from "./setting.ts";

const ms = integer({ unit: "ms" });
const bytes = integer({ min: 0, unit: "bytes" });

export const laterEnsembleSettings: Setting[] = [
  ...later("observer masters", "property", [
    [
      "observerMasterPort",
      integer({ max: 65_535 }),
      undefined,
      "Port on which a follower serves observers.",
      {
        form: "zoo.cfg",
      },
    ],
    ["observerMaster.sizeLimit", bytes, "33554432", "Proposals a follower keeps for observers."],
  ]),
  ...later("the oracle", "zoo.cfg", [
    ["oraclePath", word("file"), undefined, "File that tells which of two servers may go on alone."],
  ]),
  ...later("several addresses per server", "both", [
    ["multiAddress.enabled", strictFlag, "false", "Allows several addresses per server."],
    ["multiAddress.reachabilityCheckEnabled", strictFlag, "true", "Probes those addresses."],
    ["multiAddress.reachabilityCheckTimeoutMs", ms, "1000", "How long a probe may take."],
  ]),
  ...later("fine tuning of elections and syncs", "property", [
    ["quorumCnxnTimeoutMs", ms, "-1", "Read timeout of election connections; -1: syncLimit."],
    ["electionPortBindRetry", integer({ min: 0 }), "3", "Attempts to listen on the election port; 0: forever."],
    ["leaderConnectDelayDuringRetryMs", ms, "100", "Pause before a learner tries its leader again."],
    ["leader.maxTimeToWaitForEpoch", ms, "-1", "Longest wait of a leader for its quorum; -1: initLimit."],
    ["observer.reconnectDelayMs", ms, "0", "Pause before an observer looks for its leader again."],
    ["observer.election.DelayMs", ms, "200", "Pause before an observer takes part in an election."],
    ["forceSnapshotSync", flag, "false", "Always sends a snapshot, for tests."],
  ]),
  ...later("early ACL checks", "property", [
    ["enableEagerACLCheck", flag, "false", "A learner checks ACLs before it forwards a write."],
  ]),
  ...later("the scheme ensemble", "property", [
    ["ensembleAuthName", text("name"), undefined, "Names a client may give to be sure it reached the right ensemble."],
  ]),
  ...later("the message tracker", "property", [
    ["messageTracker.Enabled", flag, "false", "Remembers the last messages with each peer for its log."],
    ["messageTracker.BufferSize", integer({ min: 1 }), "10", "How many of them."],
  ]),
  ...later("local sessions", "zoo.cfg", [
    ["localSessionsEnabled", strictFlag, "false", "Sessions that only their own server knows."],
    ["localSessionsUpgradingEnabled", strictFlag, "false", "Makes a local session global when it needs it."],
  ]),
  ...later("read-only mode", "unprefixed", [
    ["readonlymode.enabled", flag, "false", "A server without a quorum answers reads. Also allows the word isro."],
  ]),
  ...later("Apache's own tests", "unprefixed", [
    ["zookeeper.test.allowDiscontinuousProposals", flag, "false", "For Apache's own tests."],
    ["zookeeper.testingonly.initialZxid", text("zxid"), undefined, "For Apache's own tests."],
  ]),
];
