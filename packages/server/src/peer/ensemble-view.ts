/** What a member's configuration says of its ensemble, in the form in which its machines need it. */
import { formatMembership, type Member } from "@vivarium/protocol";
import { Quorums, quorumVerifier, type Rules } from "@vivarium/zab";
import type { ServerConfig } from "../config/index.ts";

/**
 * One session's end lists all its ephemerals, and so can be far larger than any request (jute.maxbuffer). It must reach
 * everyone, or nobody can follow.
 */
const MAX_PACKET_BYTES = 64 << 20;
const PACKET_HEADER_BYTES = 4096;

export interface EnsembleView {
  /** This server, as in myid and server.N. */
  readonly id: number;
  readonly self: Member;
  readonly members: ReadonlyMap<number, Member>;
  readonly quorums: Quorums;
  readonly membershipText: string;
  readonly configVersion: number;
  /** All of them, but for tests that show what each one prevents. */
  readonly rules: Rules;
  /** In ticks. */
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly leaderServes: boolean;
  /** Listens for other servers on every address of the machine. */
  readonly listenOnAllAddresses: boolean;
  readonly keepAlive: boolean;
  readonly minNotificationIntervalMs: number;
  readonly maxNotificationIntervalMs: number;
  /** A learner is served from the log while that is smaller than this part of the tree. */
  readonly snapshotSizeFactor: number;
  /** So many learners at a time may be sent a snapshot or a difference; observers beyond that come again. */
  readonly concurrentSyncs: { readonly snap: number; readonly diff: number };
  /** The largest packet accepted from another server. */
  readonly maxPacketBytes: number;
  readonly timeouts: {
    readonly initTimeoutMs: number;
    readonly syncTimeoutMs: number;
    readonly cnxTimeoutMs: number;
    /** For a learner to reach its leader's port. */
    readonly dialTimeoutMs: number;
  };
}

/** @param config one that says `isDistributed`, and so has an id, initLimit and syncLimit */
export function ensembleView(config: ServerConfig, rules: Rules): EnsembleView {
  const { id, membership } = config;
  const self = membership.members.find((member) => member.id === id);
  if (id === undefined || self === undefined) throw new Error("a member of an ensemble that is not in it: our bug");
  const configVersion = config.membershipVersion;
  const versioned = { ...membership, version: configVersion };
  const { initLimit = 0, syncLimit = 0, tickTimeMs } = config;
  return {
    id,
    self,
    members: new Map(membership.members.map((member) => [member.id, member])),
    quorums: new Quorums(quorumVerifier(versioned)),
    membershipText: formatMembership(versioned),
    configVersion,
    rules,
    initLimit,
    syncLimit,
    leaderServes: config.leaderServes,
    listenOnAllAddresses: config.quorumListenOnAllIps,
    keepAlive: config.peerTcpKeepAlive,
    minNotificationIntervalMs: config.minNotificationIntervalMs,
    maxNotificationIntervalMs: config.maxNotificationIntervalMs,
    snapshotSizeFactor: config.snapshotSizeFactor,
    concurrentSyncs: { snap: config.maxConcurrentSnapSyncs, diff: config.maxConcurrentDiffSyncs },
    maxPacketBytes: Math.max(MAX_PACKET_BYTES, 2 * config.maxBufferBytes + PACKET_HEADER_BYTES),
    timeouts: {
      initTimeoutMs: initLimit * tickTimeMs,
      syncTimeoutMs: syncLimit * tickTimeMs,
      cnxTimeoutMs: config.cnxTimeoutMs,
      dialTimeoutMs: (config.connectToLearnerMasterLimit || initLimit) * tickTimeMs,
    },
  };
}
