// Who takes part in the bench: ours, Apache's server, the bare Node.js server, and ours at another commit.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startApache } from "../../interop/lib/apache.mjs";
import { startEnsemble } from "../../interop/lib/ensemble.mjs";
import { freePort } from "../../interop/lib/net.mjs";
import { ServerProcess } from "../../interop/lib/server-process.mjs";
import { startVivarium } from "../../interop/lib/vivarium.mjs";
import { root, run } from "../setup.mjs";

// Both run with the same zoo.cfg: no limit on clients of one address, for all of ours come from one.
const config = { maxClientCnxns: 0, tickTime: 2000 };
const jvm = ["-Xmx2g"];
const VALUE_BYTES = 1024;
/** Directories of runs that are not over. */
const directories = new Set();
process.on("exit", () => directories.forEach(remove));

function makeDirectory() {
  const directory = mkdtempSync(join(tmpdir(), "vivarium-bench-"));
  directories.add(directory);
  return directory;
}

function remove(directory) {
  rmSync(directory, { recursive: true, force: true });
  directories.delete(directory);
}

/** A server of ours, with the probe of its event loop. */
function withStalls(server, reader) {
  return {
    pid: server.pid,
    port: server.port,
    dataDir: server.dataDir,
    stop: () => server.stop({ graceMs: 60_000 }),
    longestStall: async () => reader?.longestStall(server.pid),
  };
}

/** A contender whose servers `start` starts; `readerOf` gives each the reader of its stalls. */
function contender({ name, role, start, kind, readerOf, more = {} }) {
  const options = (reader) =>
    reader === undefined ? more : { ...more, env: reader.env, nodeFlags: [...reader.nodeFlags] };
  return {
    name,
    role,
    remove,
    async start(dataDir = makeDirectory()) {
      const reader = readerOf(dataDir);
      return withStalls(await start({ config, wait: false, dataDir, ...options(reader) }), reader);
    },
    async startEnsemble() {
      const dir = makeDirectory();
      const readers = [1, 2, 3].map((sid) => readerOf(dir, `stall-${sid}`));
      const vivarium = (sid) => (kind === "vivarium" ? options(readers[sid - 1]) : {});
      const ensemble = await startEnsemble({
        kind: () => kind,
        dir,
        config,
        vivarium,
        ...(kind === "apache" ? { jvm } : {}),
      });
      return {
        servers: ensemble.members.map(({ process: member }, index) => withStalls(member, readers[index])),
        async end() {
          await ensemble.stop();
          remove(dir);
        },
      };
    },
  };
}

/** Ours, from this checkout or another. */
export const vivarium = ({ stallReader, name = "Vivarium", role = "ours", checkout = root }) =>
  contender({
    ...{ name, role, start: startVivarium, kind: "vivarium", more: { checkout } },
    readerOf: (directory, name = "stall") => stallReader(join(directory, name)),
  });

export const apache = () =>
  contender({
    ...{ name: "Apache 3.9.5", role: "theirs", start: startApache, kind: "apache", more: { jvm } },
    readerOf: () => undefined,
  });

/** Framing and nothing behind it: see packages/bench/src/bare-server.ts. */
export const bare = ({ stallReader }) => ({
  name: "bare Node.js",
  role: "bare",
  remove,
  async start(dataDir = makeDirectory()) {
    const port = await freePort();
    const main = join(root, "packages", "bench", "dist", "bare-main.js");
    const reader = stallReader(join(dataDir, "stall"));
    const args = [...reader.nodeFlags, main, String(port), join(dataDir, "log"), String(VALUE_BYTES)];
    const env = { ...process.env, ...reader.env };
    return withStalls(new ServerProcess({ name: "bare", port, dataDir, command: process.execPath, args, env }), reader);
  },
  async startEnsemble() {
    throw new Error("the bare server is alone");
  },
});

/** A built checkout of another commit, made once. @returns its directory and its short name */
export function checkoutOf(commit) {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const hash = git("rev-parse", "--short=12", `${commit}^{commit}`);
  const checkout = join(root, ".cache", "bench", `commit-${hash}`);
  if (!existsSync(join(checkout, "packages", "vivarium", "dist", "main.js"))) {
    console.log(`bench: building ${hash}`);
    mkdirSync(join(root, ".cache", "bench"), { recursive: true });
    if (!existsSync(checkout)) git("worktree", "add", "--detach", "--force", checkout, hash);
    run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: checkout });
    run("npm", ["run", "build"], { cwd: checkout });
  }
  return { checkout, hash };
}

/** Takes the checkout away again. */
export function forgetCheckout(checkout) {
  execFileSync("git", ["worktree", "remove", "--force", checkout], { cwd: root });
}
