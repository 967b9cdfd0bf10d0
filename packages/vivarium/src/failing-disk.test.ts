// The command on a disk that fills up or may not be written: what an operator sees, and what is there afterwards.
//
// A limit on the size of files works for every user. A file system of our own needs a private mount namespace, which
// only root may have, and not everywhere: without it those tests are skipped and say so.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type ZooKeeper } from "@vivarium/client";

const bin = fileURLToPath(new URL("../bin/vivarium.js", import.meta.url));

const mountProblem =
  process.platform !== "linux"
    ? "needs Linux"
    : spawnSync("unshare", ["--mount", "sh", "-c", "mount -t tmpfs none /mnt"], { encoding: "utf8" }).status === 0
      ? false
      : "no private mount namespace here (unshare --mount is refused); run as root to test this";

/** A shell script in which `serve` runs the server in the foreground and prints its exit code. */
class Script {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = "";
  err = "";

  constructor(lines: readonly string[], options: { dataDir: string; isolated: boolean }) {
    const server = `"${process.execPath}" "${bin}" server --port 0 --set preAllocSize=0 --data-dir "${options.dataDir}"`;
    const serve = `serve() { ${server} & echo "pid $!"; wait $!; echo "exit $?"; }`;
    const script = ["sh", "-c", [serve, ...lines].join("\n")];
    const [command = "sh", ...words] = options.isolated ? ["unshare", "--mount", ...script] : script;
    this.child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.on("close", (code) => resolve(code)));
  }

  /** Ends the script and the server in it. */
  kill(): void {
    if (this.child.pid === undefined || this.child.exitCode !== null) return;
    process.kill(-this.child.pid, "SIGKILL");
  }

  /** The next match in what it prints; fails when it ends without one. */
  async printed(pattern: RegExp): Promise<string> {
    let over = false;
    void this.ended.then(() => (over = true));
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) {
        this.out = this.out.slice(match.index + match[0].length);
        return match[1] ?? "";
      }
      if (over) throw new Error(`ended without printing ${pattern}: ${this.err}`);
      await Promise.race([this.ended, new Promise((resolve) => this.child.stdout?.once("data", resolve))]);
    }
  }

  async client(): Promise<ZooKeeper> {
    return connect(`127.0.0.1:${await this.printed(/serves +127\.0\.0\.1:([0-9]+)\n/)}`);
  }
}

async function start(t: TestContext, lines: (dataDir: string) => string[], isolated: boolean) {
  const dataDir = await mkdtemp(join(tmpdir(), "vivarium-disk-"));
  const script = new Script(lines(dataDir), { dataDir, isolated });
  t.after(async () => {
    script.kill();
    await script.ended;
    await rm(dataDir, { recursive: true, force: true });
  });
  return { script, dataDir };
}

/** Writes until the server is gone; returns how many writes it acknowledged. */
async function fill(client: ZooKeeper, gone: Promise<unknown>): Promise<number> {
  const data = new Uint8Array(10_000);
  for (let count = 0; count < 10_000; count++) {
    const created = client.create(`/n${count}`, data).then(() => true);
    created.catch(() => {});
    if ((await Promise.race([created.catch(() => false), gone])) !== true) return count;
  }
  throw new Error("the disk never filled up");
}

async function assertFilledUp(script: Script, place: RegExp): Promise<number> {
  const client = await script.client();
  const exit = script.printed(/exit ([0-9]+)\n/);
  const acknowledged = await fill(client, exit);
  // There is nobody left to tell that the session is over.
  void client.close().catch(() => {});
  assert.equal(await exit, "10", script.err);
  assert.match(script.err, place);
  assert.doesNotMatch(script.err, /\n {4}at /, "no stack");
  assert.ok(acknowledged > 3, `${acknowledged} writes fitted`);
  return acknowledged;
}

async function assertKept(client: ZooKeeper, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assert.ok((await client.exists(`/n${i}`)) !== null, `/n${i} was acknowledged`);
  await client.close();
}

test("a limit on the size of files: exit code 10, the file and what to do; what was acknowledged is kept", async (t) => {
  // 512-byte blocks: the log may grow to 200 KiB.
  const lines = () => ["(ulimit -f 400; serve)", "serve"];
  const { script } = await start(t, lines, false);
  const acknowledged = await assertFilledUp(script, /ERROR .*\n.*version-2\/log\.1: .*EFBIG.*ulimit -f/);
  await assertKept(await script.client(), acknowledged);
});

test("a full disk: exit code 10, the file and what to do; with more room, what was acknowledged is there", {
  skip: mountProblem,
}, async (t) => {
  const lines = (dataDir: string) => [
    `mount -t tmpfs -o size=512k none "${dataDir}"`,
    "serve",
    `mount -o remount,size=64m "${dataDir}"`,
    "serve",
  ];
  const { script } = await start(t, lines, true);
  const acknowledged = await assertFilledUp(script, /version-2\/log\.1: .*ENOSPC.*Free some space/);
  await assertKept(await script.client(), acknowledged);
});

test("a read-only file system: exit code 3, the path and what to do", { skip: mountProblem }, async (t) => {
  const lines = (dataDir: string) => [`mount -t tmpfs -o ro none "${dataDir}"`, "serve"];
  const { script, dataDir } = await start(t, lines, true);
  assert.equal(await script.printed(/exit ([0-9]+)\n/), "3");
  assert.ok(script.err.includes(dataDir), script.err);
  assert.match(script.err, /mounted read-only/);
  assert.doesNotMatch(script.err, /\n {4}at /, "no stack");
});

test("a data directory that turned read-only while it was down: exit code 3, and nothing is changed", {
  skip: mountProblem,
}, async (t) => {
  const lines = (dataDir: string) => [
    `mount -t tmpfs none "${dataDir}"`,
    "serve",
    `mount -o remount,ro "${dataDir}"`,
    "serve",
    `mount -o remount,rw "${dataDir}"`,
    "serve",
  ];
  const { script, dataDir } = await start(t, lines, true);
  const pid = Number(await script.printed(/pid ([0-9]+)\n/));
  const client = await script.client();
  await client.create("/kept");
  await client.close();
  process.kill(pid, "SIGTERM");
  assert.equal(await script.printed(/exit ([0-9]+)\n/), "0", script.err);
  assert.equal(await script.printed(/exit ([0-9]+)\n/), "3", script.err);
  assert.ok(script.err.includes(dataDir));
  const again = await script.client();
  assert.ok((await again.exists("/kept")) !== null);
  await again.close();
});
