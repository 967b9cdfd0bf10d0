// The command as a process of its own: what scripts, containers and people see.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/vivarium.js", import.meta.url));

class CommandProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = "";
  err = "";

  constructor(words: readonly string[]) {
    this.child = spawn(process.execPath, [bin, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.on("close", (code) => resolve(code)));
  }

  /** The first match in standard output; fails when the process ends without one. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false;
    void this.ended.then(() => (over = true));
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) return match;
      if (over) throw new Error(`ended without printing ${pattern}: ${this.err}`);
      await Promise.race([this.ended, new Promise((resolve) => this.child.stdout?.once("data", resolve))]);
    }
  }
}

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "vivarium-process-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function startedServer(
  t: TestContext,
  words: readonly string[],
): Promise<{ server: CommandProcess; port: number }> {
  const server = new CommandProcess(["server", "--port", "0", ...words]);
  t.after(() => server.child.kill("SIGKILL"));
  const [, port] = await server.printed(/serves +127\.0\.0\.1:([0-9]+)\n/);
  return { server, port: Number(port) };
}

function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(word));
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

test("a server answers where its greeting says, and a signal stops it with code 0", async (t) => {
  const data = join(await temporaryDirectory(t), "new", "data");
  const { server, port } = await startedServer(t, ["--data-dir", data]);
  assert.match(await fourLetterWord(port, "srvr"), /Mode: standalone\n/);
  assert.ok(server.out.includes(data));
  server.child.kill("SIGTERM");
  assert.equal(await server.ended, 0, server.err);
  assert.doesNotMatch(server.err, / (WARN|ERROR) /);
});

test("a second server on the data directory ends with code 3 and one line, on the port with code 1", async (t) => {
  const directory = await temporaryDirectory(t);
  const data = join(directory, "data");
  const { port } = await startedServer(t, ["--data-dir", data]);
  const cases: readonly [words: string[], code: number, text: RegExp][] = [
    [["--port", "0", "--data-dir", data], 3, /^vivarium server: .*is in use by process [0-9]+.*\n$/m],
    [
      ["--port", String(port), "--data-dir", join(directory, "other")],
      1,
      /^vivarium server: port [0-9]+ of 127\.0\.0\.1 is in use.*\n$/m,
    ],
  ];
  for (const [words, code, text] of cases) {
    const second = new CommandProcess(["server", ...words]);
    assert.equal(await second.ended, code, second.err);
    assert.match(second.err, text);
    assert.doesNotMatch(second.err, /\n {4}at /, "no stack");
    assert.equal(second.out, "");
  }
});

test("a data directory that is a file ends with code 3 and says which", async (t) => {
  const file = join(await temporaryDirectory(t), "data");
  await writeFile(file, "");
  const server = new CommandProcess(["server", "--port", "0", "--data-dir", file]);
  assert.equal(await server.ended, 3, server.err);
  assert.ok(server.err.includes(file), server.err);
  assert.doesNotMatch(server.err, /\n {4}at /, "no stack");
});

test("a configuration file decides, and JSON logging puts nothing but JSON on either stream", async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, "zoo.cfg");
  await writeFile(file, `dataDir=${directory}/data\nclientPort=0\nclientPortAddress=127.0.0.1\ntikTime=2000\n`);
  const server = new CommandProcess(["server", file, "--log-format", "json"]);
  t.after(() => server.child.kill("SIGKILL"));
  await new Promise((resolve) => server.child.stderr?.once("data", resolve));
  server.child.kill("SIGINT");
  assert.equal(await server.ended, 0, server.err);
  assert.equal(server.out, "");
  const lines = server.err
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.match(lines[0].message, /zoo\.cfg:4: tikTime: .*Did you mean tickTime\?/);
});
