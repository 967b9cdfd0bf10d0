// Configuration: one process writes it, all others follow it without asking again and again.
import { connect, json } from "@vivarium/client";
import { runIfMain } from "./lib/run-if-main.mjs";

const settings = json();

/**
 * Calls `use` with the configuration as it is, and again after each change, until `signal` fires.
 * @param {import("@vivarium/client").ZooKeeper} zk
 */
export async function follow(zk, path, use, signal) {
  // The watch is set first, so that no change can fall between reading and watching.
  const watch = await zk.addWatch(path, { signal });
  use((await zk.getData(path, { codec: settings })).data);
  for await (const event of watch) {
    // After a gap (a lost connection, say) nobody knows what happened: reading again is right in every case.
    if (event.type === "dataChanged" || event.type === "created" || event.type === "gap") {
      use((await zk.getData(path, { codec: settings })).data);
    }
  }
}

/** Changes the configuration without overwriting what somebody else changed meanwhile. */
export async function change(zk, path, edit) {
  for (;;) {
    const { data, stat } = await zk.getData(path, { codec: settings });
    try {
      return await zk.setData(path, edit(data), { codec: settings, version: stat.version });
    } catch (error) {
      if (error.name !== "BadVersionError") throw error;
    }
  }
}

export async function configuration(servers, print = console.log) {
  const zk = await connect(servers);
  try {
    await zk.create("/settings", { level: "info", limit: 10 }, { codec: settings });
    const seen = [];
    const stop = new AbortController();
    const following = new Promise((resolve) => {
      follow(
        zk,
        "/settings",
        (value) => {
          seen.push(value.limit);
          print(`configuration is now ${JSON.stringify(value)}`);
          if (value.limit === 12) stop.abort();
        },
        stop.signal,
      ).then(resolve, resolve);
    });
    await change(zk, "/settings", (value) => ({ ...value, limit: value.limit + 1 }));
    await change(zk, "/settings", (value) => ({ ...value, limit: value.limit + 1 }));
    await following;
    return seen;
  } finally {
    await zk.deleteSubtree("/settings");
    await zk.close();
  }
}

await runIfMain(import.meta.url, configuration);
