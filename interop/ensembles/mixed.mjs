// Ensembles of Apache's servers and ours, each kind leading in turn, under load, with servers killed, wiped, left
// behind and cut back. Every row is one ensemble.

import { Trial } from "./trial.mjs";

const title = (what) => `mixed: ${what}`;
const other = (kind) => (kind === "apache" ? "vivarium" : "apache");

/** What is done while one kind leads. */
async function underLeader(trial, kind, { long }) {
  const led = `led by ${kind}`;
  await trial.step(`${led}: a follower is killed and comes back`, async () =>
    trial.killAndRestart(await trial.follower(other(kind))),
  );
  await trial.step(`${led}: sessions move`, () => trial.moveSession());
  await trial.step(`${led}: a wiped follower comes back`, async () =>
    trial.wipeAndRestart(await trial.follower(other(kind))),
  );
  await trial.step(`${led}: a follower is left behind`, async () =>
    trial.leaveBehind(await trial.follower(other(kind))),
  );
  await trial.step(`${led}: sessions expire`, async () => trial.expireSession(await trial.follower(other(kind))));
  if (!long) return;
  await trial.step(`${led}: a follower of the same kind is wiped`, async () =>
    trial.wipeAndRestart(await trial.follower(kind)),
  );
  await trial.step(`${led}: a follower of the same kind is left far behind`, async () =>
    trial.leaveBehind(await trial.follower(kind), 5000),
  );
}

/** Both kinds lead: first the one that was made to, then the other. */
function threeServers(what, kinds) {
  return {
    title: title(what),
    async run(options) {
      const trial = new Trial({ kinds, ...options });
      return ran(trial, async () => {
        await trial.begin([1, 2, 3]);
        const first = (await trial.ensemble.leader()).kind;
        for (const kind of [first, other(first)]) {
          await trial.step(`the leader dies until ${kind} leads`, () => trial.lead(kind));
          await underLeader(trial, kind, options);
          await trial.step(`led by ${kind}: the leader's uncommitted tail is cut off`, () => trial.uncommittedTail());
        }
      });
    },
  };
}

const observers = {
  title: title("observers of both kinds"),
  async run(options) {
    const trial = new Trial({
      kinds: ["vivarium", "apache", "vivarium"],
      observers: ["apache", "vivarium"],
      ...options,
    });
    return ran(trial, async () => {
      await trial.begin([1, 3]);
      const watching = trial.ensemble.members.filter(({ isObserver }) => isObserver);
      for (const kind of ["vivarium", "apache"]) {
        await trial.step(`${kind} leads, the observers stay`, () => trial.lead(kind));
        for (const observer of watching) {
          const who = `led by ${kind}: the ${observer.kind} observer`;
          await trial.step(`${who} is killed and comes back`, () => trial.killAndRestart(observer));
          await trial.step(`${who} is wiped`, () => trial.wipeAndRestart(observer));
          await trial.step(`${who} is left behind`, () => trial.leaveBehind(observer));
          await trial.step(`${who}'s sessions expire`, () => trial.expireSession(observer));
        }
        await trial.step(`led by ${kind}: sessions move, also to observers`, () => trial.moveSession());
      }
    });
  },
};

/** Runs a trial to its end, whatever happens. */
export async function ran(trial, action) {
  try {
    await action();
    await trial.settle();
  } catch (error) {
    trial.failures.push(error.message);
    if (trial.verbose) console.log(`${error.stack}\n${trial.lastWords}`);
  } finally {
    await trial.end({ keep: trial.verbose && trial.failures.length > 0 });
  }
  if (trial.verbose && trial.failures.length > 0) console.log(`kept: ${trial.ensemble?.dir}`);
  const { ok, failures, seconds, apacheLeaderUnsynced } = trial;
  return { apacheLeaderUnsynced, ok, failures, seconds, gapMs: trial.load?.longestGapMs, acked: trial.load?.acked };
}

export const mixed = [
  threeServers("two Apache, one Vivarium", ["apache", "apache", "vivarium"]),
  threeServers("one Apache, two Vivarium", ["vivarium", "vivarium", "apache"]),
  observers,
];
