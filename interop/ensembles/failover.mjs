// How long nobody can write when a leader gets SIGKILL: three servers of Apache's, then three of ours, with the same
// single writer. A command of its own, because it measures and judges nothing:
//
//   node interop/ensembles/failover.mjs [--rounds 20]

import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { javaClasspath } from "../lib/apache.mjs";
import { startEnsemble } from "../lib/ensemble.mjs";
import { sleep } from "../lib/net.mjs";
import { RawClient } from "../lib/raw-client.mjs";

const config = { tickTime: 2000, initLimit: 10, syncLimit: 5, maxClientCnxns: 0 };
const RETRY_MS = 2;

/** One write at a time over one session, at whatever server gives service. */
class Writer {
  lastMs = 0;
  #next = [];
  #stopped = false;

  /** Resolves with the time of the next acknowledgement. */
  next() {
    return new Promise((resolve) => this.#next.push(resolve));
  }

  stop() {
    this.#stopped = true;
  }

  async run(ensemble) {
    let session = {};
    for (let turn = 0; !this.#stopped; turn++) {
      const { running } = ensemble;
      try {
        const client = await RawClient.connect({
          port: running[turn % running.length].port,
          timeOut: 40_000,
          ...session,
        });
        session = { sessionId: client.sessionId, passwd: client.passwd };
        await this.#write(client);
      } catch {
        await sleep(RETRY_MS);
      }
    }
  }

  async #write(client) {
    try {
      while (!this.#stopped) {
        await client.ask("setData", { path: "/", data: "x".repeat(100) });
        this.lastMs = performance.now();
        for (const resolve of this.#next.splice(0)) resolve(this.lastMs);
        await sleep(1);
      }
    } finally {
      client.destroy();
    }
  }
}

async function gaps(kind, rounds) {
  const ensemble = await startEnsemble({ kind: () => kind, config });
  const writer = new Writer();
  const writing = writer.run(ensemble);
  const all = [];
  try {
    await writer.next();
    for (let round = 0; round < rounds; round++) {
      await sleep(1000);
      const leader = await ensemble.leader();
      await leader.kill();
      const beforeMs = writer.lastMs;
      all.push((await writer.next()) - beforeMs);
      await leader.start();
    }
    writer.stop();
    await writing;
  } finally {
    await ensemble.kill();
    rmSync(ensemble.dir, { recursive: true, force: true });
  }
  return all.sort((a, b) => a - b);
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
await javaClasspath();
for (const kind of ["apache", "vivarium"]) {
  const sorted = await gaps(kind, Number(values.rounds));
  const at = (part) => `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(0)} ms`;
  console.log(
    `${kind.padEnd(8)}  leader killed ${sorted.length} times; no write for ${at(0.5)} median, ${at(0.9)} at the 90th percentile, ${at(1)} longest`,
  );
}
