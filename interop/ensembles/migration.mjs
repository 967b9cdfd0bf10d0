// A rolling migration: three Apache servers with a tree and live clients become Vivarium one at a time on their own
// directories, and go back. What is done here is what docs/migrate.md tells an operator to do.

import { fillTree } from "./fill.mjs";
import { ran } from "./mixed.mjs";
import { Trial } from "./trial.mjs";

const SMALL = 2000;
const LARGE = 100_000;

/** Followers first, the leader last, so that leadership moves once. */
async function become(trial, kind) {
  const leader = await trial.ensemble.leader();
  const order = [...trial.ensemble.members.filter((member) => member !== leader), leader];
  for (const member of order) {
    await trial.step(`server ${member.sid} becomes ${kind}${member === leader ? " (it led)" : ""}`, async () => {
      await member.stop();
      await trial.start(member, { kind });
    });
    await trial.step(`sessions move when ${member.sid} is ${kind}`, () => trial.moveSession());
  }
}

export const migration = {
  title: "rolling migration, there and back",
  async run(options) {
    const trial = new Trial({ kinds: ["apache", "apache", "apache"], ...options });
    return ran(trial, async () => {
      await trial.begin([1, 2, 3]);
      const { port } = await trial.ensemble.leader();
      const znodes = options.long ? LARGE : SMALL;
      await trial.step(`${znodes} znodes are written`, () => fillTree(port, znodes));
      await become(trial, "vivarium");
      await become(trial, "apache");
    });
  },
};
