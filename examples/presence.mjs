// Presence: who is there? Each member holds an ephemeral node, which goes when its session does.
import { CreateMode, connect, NodeExistsError } from "@vivarium/client";
import { runIfMain } from "./lib/run-if-main.mjs";

/** @param {import("@vivarium/client").ZooKeeper} zk */
export async function join(zk, group, name, address) {
  await zk.ensurePath(group);
  try {
    await zk.create(`${group}/${name}`, address, { mode: CreateMode.EPHEMERAL });
  } catch (error) {
    // Our own node of a session before this one may still be there for a moment.
    if (!(error instanceof NodeExistsError)) throw error;
    await zk.delete(`${group}/${name}`, { idempotent: true });
    await zk.create(`${group}/${name}`, address, { mode: CreateMode.EPHEMERAL });
  }
}

/** Calls `changed` with the sorted names of the members now and after each change, until the watch is closed. */
export async function members(zk, group, changed) {
  const list = async () => changed((await zk.getChildren(group)).children.sort());
  const watch = await zk.addWatch(group, {
    listener: (event) => {
      if (event.type === "childrenChanged" || event.type === "gap") list().catch(() => undefined);
    },
  });
  await list();
  return watch;
}

export async function presence(servers, print = console.log) {
  const observer = await connect(servers);
  const [ada, grace] = await Promise.all([connect(servers), connect(servers)]);
  let present = "";
  let whenChanged = () => {};
  const see = async (names) => {
    while (present !== names) {
      await new Promise((resolve) => {
        whenChanged = resolve;
      });
    }
    return names;
  };
  try {
    await observer.ensurePath("/workers");
    await members(observer, "/workers", (names) => {
      present = names.join(" ");
      print(`present: ${present || "nobody"}`);
      whenChanged();
    });
    await join(ada, "/workers", "ada", "10.0.0.1:80");
    await join(grace, "/workers", "grace", "10.0.0.2:80");
    const both = await see("ada grace");
    await ada.close();
    return [both, await see("grace")];
  } finally {
    await Promise.all([ada.close(), grace.close()]);
    await observer.deleteSubtree("/workers");
    await observer.close();
  }
}

await runIfMain(import.meta.url, presence);
