/**
 * Persistent recursive watches: as long as the connection lasts, every change in the subtree is announced once, in order,
 * and before the session is shown it or anything that came after it.
 */
import { type Zxid, zxidHex } from "@vivarium/protocol";
import type { SessionRecord, SubtreeWatch } from "../workload/history.ts";
import { type Shown, shownByReturn, type WatchCheck } from "./check-watches.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

const TYPES = { create: "created", setData: "dataChanged", delete: "deleted" } as const;

interface Expected {
  readonly type: string;
  readonly path: string;
  readonly zxid: Zxid;
}

export function checkSubtrees(check: WatchCheck): void {
  for (const session of check.history.sessions) {
    if (session.subtreeWatches.length === 0) continue;
    const shown = shownByReturn(session, check);
    for (const watch of session.subtreeWatches) checkSubtree(watch, session, shown, check.truth);
  }
}

function checkSubtree(watch: SubtreeWatch, session: SessionRecord, shown: readonly Shown[], truth: Truth): void {
  const { path, events, setAt, askedAt } = watch;
  const wrong = (what: string): void => {
    const whole = `the watch of ${session.name} on the subtree ${path} ${what}`;
    truth.report(violation("persistent watches tell everything", whole, path, session.name));
  };
  const expected = changesIn(path, truth).filter(({ zxid }) => zxid > askedAt);
  // Between the question and the answer the watch came to be: from where on it counts, the first event tells.
  const first = expected.findIndex(({ zxid }) => zxid > setAt);
  const latest = first === -1 ? expected.length : first;
  const begins = events[0] === undefined ? latest : expected.findIndex((change) => isOf(change, events[0]));
  if (begins === -1 || begins > latest) return wrong(`was told ${describe(events[0])} first`);
  for (const [at, event] of events.entries()) {
    const change = expected[begins + at];
    if (change === undefined || !isOf(change, event)) {
      return wrong(`was told ${describe(event)} where ${describe(change)} was next`);
    }
  }
  const missed = missing(watch, expected.slice(begins), shown);
  if (missed !== undefined) wrong(`was not told ${describe(missed)} before the session was shown what came after it`);
}

function changesIn(root: string, truth: Truth): Expected[] {
  return truth.history.flatMap(({ zxid, effects, closes }) => {
    const changes = effects.map(({ kind, path }) => ({ type: TYPES[kind] as string, path, zxid }));
    const ended = closes.map((path) => ({ type: TYPES.delete, path, zxid }));
    return [...changes, ...ended].filter(({ path }) => path === root || path.startsWith(`${root}/`));
  });
}

function isOf(change: Expected, event: SubtreeWatch["events"][number] | undefined): boolean {
  if (event === undefined || event.type !== change.type || event.path !== change.path) return false;
  return event.zxid === null || event.zxid === change.zxid;
}

/** The first change that the session was shown, or could see the consequences of, without having been told. */
function missing(watch: SubtreeWatch, expected: readonly Expected[], shown: readonly Shown[]): Expected | undefined {
  for (const { order, zxid, connection } of shown) {
    if (connection !== watch.connection || (watch.closedOrder !== 0 && order > watch.closedOrder)) continue;
    const told = watch.events.filter((event) => event.order < order).length;
    const next = expected[told];
    if (next !== undefined && next.zxid <= zxid && next.zxid > watch.setAt) return next;
  }
  return undefined;
}

function describe(change: { type: string; path: string; zxid: Zxid | null } | undefined): string {
  if (change === undefined) return "nothing";
  return `${change.type} ${change.path}${change.zxid === null ? "" : ` 0x${zxidHex(change.zxid)}`}`;
}
