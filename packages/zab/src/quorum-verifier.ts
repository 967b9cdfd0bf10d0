/**
 * Which sets of servers can decide: a majority of the voters, or with groups more than half of the groups, each by more
 * than half of its weight. Any two quorums of one membership share a server, on which all of Zab rests.
 *
 * While a new membership is agreed on, decisions need a quorum of both: see Quorums.
 * @see fact sheet "quorum-protocol", section 13; QuorumMaj, QuorumHierarchical
 */
import { Role, type VersionedMembership } from "@vivarium/protocol";

/** A set of servers, as a question; bound once by whoever asks often. */
export type ServerSet = (id: number) => boolean;

export interface QuorumVerifier {
  /** The zxid that made this membership; 0 when it came from a file. */
  readonly version: number;
  readonly voters: readonly number[];
  /** A server of weight 0 never leads. */
  weight(id: number): number;
  hasQuorum(set: ServerSet): boolean;
}

export function quorumVerifier(membership: VersionedMembership): QuorumVerifier {
  const voters = membership.members.filter(({ role }) => role === Role.participant).map(({ id }) => id);
  return membership.groups.size === 0
    ? majority(voters, membership.version)
    : hierarchical(voters, membership.groups, membership.weights, membership.version);
}

export function majority(voters: readonly number[], version = 0): QuorumVerifier {
  return {
    version,
    voters,
    weight: () => 1,
    hasQuorum(set) {
      let count = 0;
      for (const id of voters) if (set(id)) count++;
      return count > voters.length >> 1;
    },
  };
}

export function hierarchical(
  voters: readonly number[],
  groups: ReadonlyMap<number, readonly number[]>,
  weights: ReadonlyMap<number, number>,
  version = 0,
): QuorumVerifier {
  const weight = (id: number): number => (voters.includes(id) ? (weights.get(id) ?? 1) : 0);
  const sum = (ids: readonly number[]): number => ids.reduce((total, id) => total + weight(id), 0);
  // A group of observers, or of servers that weigh nothing, decides nothing.
  const deciding = [...groups.values()].map((ids) => ({ ids, total: sum(ids) })).filter(({ total }) => total > 0);
  return {
    version,
    voters,
    weight,
    hasQuorum(set) {
      let satisfied = 0;
      for (const { ids, total } of deciding) {
        let acked = 0;
        for (const id of ids) if (set(id)) acked += weight(id);
        if (acked * 2 > total) satisfied++;
      }
      return satisfied * 2 > deciding.length;
    },
  };
}

/** The committed membership and, while it differs, the one last proposed. */
export class Quorums {
  readonly committed: QuorumVerifier;
  readonly lastSeen: QuorumVerifier | null;

  constructor(committed: QuorumVerifier, lastSeen: QuorumVerifier | null = null) {
    this.committed = committed;
    this.lastSeen = lastSeen !== null && lastSeen.version > committed.version ? lastSeen : null;
  }

  /** Everyone who may vote: in an election, for and in both memberships. */
  get voters(): number[] {
    return [...new Set([...this.committed.voters, ...(this.lastSeen?.voters ?? [])])];
  }

  isVoter(id: number): boolean {
    return this.committed.voters.includes(id) || (this.lastSeen?.voters.includes(id) ?? false);
  }

  weight(id: number): number {
    return this.committed.weight(id);
  }

  /** A quorum of every membership that matters now. */
  hasQuorum(set: ServerSet): boolean {
    return this.committed.hasQuorum(set) && (this.lastSeen?.hasQuorum(set) ?? true);
  }
}
