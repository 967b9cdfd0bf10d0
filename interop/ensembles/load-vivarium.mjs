// The load of our own client. Arguments: servers, root. See load.mjs for what is said and obeyed.

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateMode, connect, NodeExistsError, RequestError } from "../../packages/client/dist/index.js";

const [servers, root] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${line}\n`);
let paused = false;
let ended = false;

function listen(zk, name) {
  zk.onSessionEvent(({ type }) => {
    if (type === "suspended") say("lost");
    if (type === "expired" || type === "authFailed") say(`fail the session of the ${name}: ${type}`);
  });
}

/** Calls that the connection's end has cut off are made again; every other refusal is a failure. */
async function retried(action) {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof RequestError && error.code === -4)) throw error;
      say("retry");
      await sleep(50);
    }
  }
}

const unlessThere = (error) => {
  if (!(error instanceof NodeExistsError)) throw error;
};

const options = { sessionTimeoutMs: 20_000, backoff: { firstMs: 50, maxMs: 500 } };
const writer = await connect(servers, options);
const reader = await connect(servers, options);
listen(writer, "writer");
listen(reader, "reader");
await writer.ensurePath(root);
await writer.create(`${root}/last`, "0", { idempotent: true }).catch(unlessThere);
await writer.create(`${root}/alive`, "", { mode: CreateMode.EPHEMERAL, idempotent: true }).catch(unlessThere);
say(`session ${writer.session.id.toString(16)}`);

createInterface({ input: process.stdin }).on("line", (word) => {
  if (word === "pause") paused = true;
  if (word === "resume") paused = false;
  if (word === "end") ended = true;
});

async function turn(i, seen) {
  if (i % 5 === 0) await retried(() => writer.create(`${root}/n-${i}`, String(i)).catch(unlessThere));
  await retried(() => writer.setData(`${root}/last`, String(i)));
  say(`ack ${i}`);
  const plain = Number((await retried(() => reader.getData(`${root}/last`))).data.toString());
  if (plain < seen) say(`stale ${plain} read after ${seen}`);
  await retried(() => reader.sync(`${root}/last`));
  const fresh = Number((await retried(() => reader.getData(`${root}/last`))).data.toString());
  if (fresh < i) say(`unsynced ${reader.server.split(":").at(-1)} ${fresh} read after sync when ${i} was written`);
  return fresh;
}

try {
  for (let i = 1, seen = 0; !ended; ) {
    if (paused) {
      say(`paused ${i - 1}`);
      while (paused && !ended) await sleep(20);
    } else seen = await turn(i++, seen);
    await sleep(15);
  }
  await Promise.all([writer.close(), reader.close()]);
  say("ended");
  process.exit(0);
} catch (error) {
  say(`fail ${String(error?.stack ?? error).replaceAll("\n", " ")}`);
  process.exit(1);
}
