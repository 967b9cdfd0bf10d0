// Leader election by hand: the candidate with the lowest number leads, each other one watches only its predecessor.
import { CreateMode, connect } from "@vivarium/client";
import { runIfMain } from "./lib/run-if-main.mjs";

const sequence = (name) => name.slice(-10);

/**
 * Resolves with our node's path when we lead.
 * @param {import("@vivarium/client").ZooKeeper} zk
 */
export async function campaign(zk, election, name) {
  await zk.ensurePath(election);
  // Protected: if the connection breaks before the answer, the node is found again instead of made twice.
  const { path } = await zk.create(`${election}/candidate-`, name, {
    mode: CreateMode.EPHEMERAL_SEQUENTIAL,
    protected: true,
  });
  const own = path.slice(election.length + 1);
  for (;;) {
    const { children } = await zk.getChildren(election);
    const before = children.filter((child) => sequence(child) < sequence(own));
    if (before.length === 0) return path;
    const predecessor = before.sort((a, b) => sequence(a).localeCompare(sequence(b))).at(-1);
    await new Promise((resolve, reject) => {
      zk.exists(`${election}/${predecessor}`, { watch: resolve }).then((stat) => stat ?? resolve(), reject);
    });
    if (zk.state === "expired" || zk.state === "closed") throw new Error("the session ended before the election did");
  }
}

/** Leadership is only as good as the session: stop work when it may be gone, without waiting for the server to say so. */
export function onPossibleLoss(zk, stop) {
  return zk.onSessionEvent((event) => {
    if (event.type === "maybeExpired" || event.type === "expired" || event.type === "closed") stop();
  });
}

export async function leaderElection(servers, print = console.log) {
  const clients = await Promise.all([connect(servers), connect(servers), connect(servers)]);
  const observer = await connect(servers);
  const leaders = [];
  try {
    await Promise.all(
      clients.map(async (zk, i) => {
        await campaign(zk, "/election", `candidate ${i}`);
        leaders.push(i);
        print(`candidate ${i} leads`);
        onPossibleLoss(zk, () => print(`candidate ${i} stops`));
        // Leaving is enough: the ephemeral node goes with the session.
        await zk.close();
      }),
    );
    return leaders;
  } finally {
    await Promise.all(clients.map((zk) => zk.close()));
    await observer.deleteSubtree("/election");
    await observer.close();
  }
}

await runIfMain(import.meta.url, leaderElection);
