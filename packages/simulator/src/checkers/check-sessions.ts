/**
 * Sessions: an ephemeral node lives as long as its session and no longer; a session that its client has reason to believe
 * in is not expired; nobody holds a lock that somebody else holds.
 */
import type { Holding, SessionRecord } from "../workload/history.ts";
import type { Committed } from "./committed.ts";
import { hex } from "./model.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

/** Clocks of clients and servers may differ by so much. */
const TOLERANCE_MS = 60;

export interface ExpiryCheck {
  txn: Committed;
  session: SessionRecord;
  truth: Truth;
  /** How long a follower may answer a client without its leader knowing, in milliseconds. */
  leaderLagMs: number;
}

/** Looked at when a server ends a session on its own account. */
export function checkExpiry({ txn, session, truth, leaderLagMs }: ExpiryCheck): void {
  if (!session.alive || session.closing) return;
  const remainingMs = session.remainingMs();
  if (remainingMs <= TOLERANCE_MS + leaderLagMs) return;
  const what = `0x${hex(txn.sessionId)} is expired while ${session.name} may count on it for ${remainingMs} ms more`;
  truth.report(violation("no session expires early", what, session.name, hex(txn.sessionId)));
}

export function checkHoldings(holdings: readonly Holding[], truth: Truth): void {
  const sorted = holdings.filter(({ fromMs, toMs }) => fromMs < toMs).sort((a, b) => a.fromMs - b.fromMs);
  for (const [at, { toMs, session, path }] of sorted.entries()) {
    const next = sorted[at + 1];
    if (next === undefined || next.fromMs >= toMs) continue;
    const what = `${session} holds ${path} until ${toMs}, and ${next.session} holds ${next.path} from ${next.fromMs} on`;
    truth.report(violation("one holder of a lock", what, session, next.session));
  }
}

/** After all clients are gone, and longer than any session may live without one. */
export function checkNothingLeft(truth: Truth): void {
  for (const session of truth.model.sessions.values()) {
    const ephemerals = truth.model.ephemeralsOf(session.id);
    if (session.closedAt === null) {
      const what = `session 0x${hex(session.id)} is open, though its client is gone; its ephemerals: ${ephemerals.join(" ") || "none"}`;
      truth.report(violation("dead sessions expire", what, hex(session.id)));
    } else if (ephemerals.length > 0) {
      const what = `session 0x${hex(session.id)} is closed and owns ${ephemerals.join(" ")}`;
      truth.report(violation("a session takes its ephemerals with it", what, ...ephemerals));
    }
  }
}
