/** What a leader knows of one learner's connection, and the clock that tells whether the learner keeps up. */
import type { Zxid } from "@vivarium/protocol";
import type { Link } from "./leader-io.ts";

/** In the order in which a connection goes through them. */
export const LinkPhase = {
  /** FOLLOWERINFO or OBSERVERINFO is awaited. */
  connected: 0,
  /** It told its accepted epoch; LEADERINFO waits for a quorum of these and for our disk. */
  told: 1,
  /** LEADERINFO is sent, ACKEPOCH awaited. */
  invited: 2,
  /** It accepted the epoch; its sync waits for a quorum of these and for our disk. */
  accepted: 3,
  /** Our log on disk is being read for it. */
  reading: 4,
  /** NEWLEADER is sent, its ACK awaited. */
  syncing: 5,
  /** It acknowledged NEWLEADER; UPTODATE waits for a quorum of these. */
  synced: 6,
  /** UPTODATE is sent. */
  active: 7,
} as const;
export type LinkPhase = (typeof LinkPhase)[keyof typeof LinkPhase];

/** How a learner is brought into step: by all there is, or by what it lacks. */
export type SyncKind = "snap" | "diff";

export class LearnerLink {
  readonly link: Link;
  serverId = -1;
  /** Followers get PROPOSAL and COMMIT, observers INFORM. */
  follower = false;
  phase: LinkPhase = LinkPhase.connected;
  /** When it last said anything. */
  heardMs: number;
  /** The sync that is under way. */
  sync: SyncKind | null = null;
  /** The last round of pings that it has answered, all of those before it too; -1 before its first answer in service. */
  answeredRound = -1;
  /** The last round before it was in service, which it does not answer. */
  roundBefore = 0;
  /** Its last logged zxid, by ACKEPOCH. */
  zxid: Zxid = -1;
  /** Silent until then, it is given up. */
  deadlineMs: number;
  /** A proposal whose acknowledgement is awaited, and since when; and the newest one, which is watched after it. */
  #watched: Zxid = -1;
  #watchedSinceMs = 0;
  #newest: Zxid = -1;
  #newestSinceMs = 0;

  constructor(link: Link, { nowMs, deadlineMs }: { nowMs: number; deadlineMs: number }) {
    this.link = link;
    this.heardMs = nowMs;
    this.deadlineMs = deadlineMs;
  }

  proposed(zxid: Zxid, nowMs: number): void {
    if (this.#watched === -1) {
      this.#watched = zxid;
      this.#watchedSinceMs = nowMs;
    } else {
      this.#newest = zxid;
      this.#newestSinceMs = nowMs;
    }
  }

  acked(zxid: Zxid): void {
    if (this.#watched === -1 || zxid < this.#watched) return;
    this.#watched = this.#newest > zxid ? this.#newest : -1;
    this.#watchedSinceMs = this.#newestSinceMs;
    this.#newest = -1;
  }

  /** It has answered one more ping; those before UPTODATE are not answered. */
  answered(): void {
    if (this.phase === LinkPhase.active) this.answeredRound = Math.max(this.answeredRound, this.roundBefore) + 1;
  }

  /** Whether a proposal has been waiting for longer than `limitMs`. */
  lags(nowMs: number, limitMs: number): boolean {
    return this.#watched !== -1 && nowMs - this.#watchedSinceMs > limitMs;
  }
}
