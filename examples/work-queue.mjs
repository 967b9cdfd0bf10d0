// A queue of work: producers append, workers take the oldest item, and an item whose worker died is taken by another.
import { CreateMode, connect, json, NodeExistsError, NoNodeError } from "@vivarium/client";
import { runIfMain } from "./lib/run-if-main.mjs";

const job = json();

/** @param {import("@vivarium/client").ZooKeeper} zk */
export async function put(zk, queue, work) {
  await zk.create(`${queue}/items/job-`, work, { codec: job, mode: CreateMode.PERSISTENT_SEQUENTIAL });
}

/** Takes items and gives them to `handle`, oldest first, until it returns false. */
export async function worker(zk, queue, handle) {
  const watch = await zk.addWatch(`${queue}/items`);
  try {
    for (;;) {
      const { children } = await zk.getChildren(`${queue}/items`);
      let claimed = false;
      for (const name of children.sort()) {
        if (!(await claim(zk, queue, name))) continue;
        claimed = true;
        const { data } = await zk.getData(`${queue}/items/${name}`, { codec: job });
        const more = await handle(data);
        // Item and claim go together: done work can neither come back nor stay claimed.
        await zk.multi().delete(`${queue}/items/${name}`).delete(`${queue}/claims/${name}`).commit();
        if (more === false) return;
      }
      // Nothing left that is free: wait until something changes.
      if (!claimed) await watch.next();
    }
  } finally {
    await watch.close();
  }
}

/** A claim is ephemeral: it goes with its worker. False: somebody else has it, or has done it. */
async function claim(zk, queue, name) {
  try {
    await zk
      .multi()
      .check(`${queue}/items/${name}`)
      .create(`${queue}/claims/${name}`, null, { mode: CreateMode.EPHEMERAL })
      .commit();
    return true;
  } catch (error) {
    if (error instanceof NodeExistsError || error instanceof NoNodeError) return false;
    throw error;
  }
}

export async function workQueue(servers, print = console.log) {
  const [producer, first, second] = await Promise.all([connect(servers), connect(servers), connect(servers)]);
  try {
    await producer.ensurePath("/jobs/items");
    await producer.ensurePath("/jobs/claims");
    const done = [];
    const finished = new Promise((resolve, reject) => {
      for (const [name, zk] of Object.entries({ first, second })) {
        worker(zk, "/jobs", (work) => {
          print(`${name} worker: ${work.say}`);
          done.push(work.n);
          if (done.length === 10) resolve(done);
        }).catch((error) => (done.length === 10 ? undefined : reject(error)));
      }
    });
    for (let n = 0; n < 10; n++) await put(producer, "/jobs", { n, say: `job ${n}` });
    return (await finished).toSorted((a, b) => a - b);
  } finally {
    await Promise.all([first.close(), second.close()]);
    await producer.deleteSubtree("/jobs");
    await producer.close();
  }
}

await runIfMain(import.meta.url, workQueue);
