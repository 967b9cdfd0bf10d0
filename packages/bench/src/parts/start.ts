/** From the start of a process on an empty directory to the first znode it has created for somebody. */
import { seconds } from "@vivarium/load";
import { everyTurn, type Part } from "../part.ts";
import { untilServing } from "../server-view.ts";
import { spread } from "../spread.ts";

const ROUNDS = 3;

export const start: Part = {
  name: "start",
  about: "an empty server: from its start to the first create that it serves",
  roles: ["ours", "theirs"],
  turns: everyTurn,
  async run({ contender, record, doing }) {
    const took: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      doing("starting");
      const startMs = performance.now();
      const server = await contender.start();
      try {
        await untilServing(server.port, "/first");
        took.push((performance.now() - startMs) / 1000);
      } finally {
        await server.stop();
        contender.remove(server.dataDir);
      }
    }
    record(seconds("start", "start of an empty server to its first create", spread(took).median));
  },
};
