import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, type ServerConfig } from "@vivarium/server";
import { run } from "./run.ts";
import type { ServerHandle, StartServer } from "./server-command.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";

/** Runs the command with a server that starts, and stops when it is told to; `start` may replace it. */
function command(words: readonly string[], start?: StartServer) {
  const terminal = new FakeTerminal();
  const configs: ServerConfig[] = [];
  const startServer: StartServer = async (options) => {
    configs.push(options.config);
    if (start !== undefined) return start(options);
    options.logger.info("started");
    queueMicrotask(() => setImmediate(() => terminal.signal("SIGTERM")));
    return stoppable({ host: "127.0.0.1", port: 2181 });
  };
  const done = run({ words, terminal, version: "1.2.3", startServer, program: "vivarium.js" });
  return { terminal, configs, done };
}

function stoppable(address: ServerHandle["address"]): ServerHandle {
  let finish: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { address, stopped, stop: async () => finish() };
}

function failingWith(error: unknown): StartServer {
  return async () => {
    throw error;
  };
}

function withCode(message: string, fields: object): Error {
  return Object.assign(new Error(message), fields);
}

test("the first word picks the command", async () => {
  const cases: readonly [string[], number, "printed" | "complaints", RegExp][] = [
    [[], 2, "complaints", /vivarium server \[zoo\.cfg\]/],
    [["--help"], 0, "printed", /vivarium server \[zoo\.cfg\]/],
    [["help"], 0, "printed", /vivarium server \[zoo\.cfg\]/],
    [["help", "server"], 0, "printed", /--data-dir D/],
    [["--version"], 0, "printed", /^1\.2\.3\n$/],
    [["sevrer"], 2, "complaints", /^vivarium: there is no command sevrer\. Did you mean server\?\n$/],
    [["frobnicate"], 2, "complaints", /The commands are: server, ensemble, bench, help, version\./],
    [["server", "--help"], 0, "printed", /--data-dir D/],
    [["server", "--help-settings"], 0, "printed", /snapCount {2}\(integer; default 100000\)/],
  ];
  for (const [words, code, where, text] of cases) {
    const { terminal, done, configs } = command(words);
    assert.equal(await done, code, words.join(" "));
    assert.match(terminal[where], text);
    assert.equal(terminal[where === "printed" ? "complaints" : "printed"], "");
    assert.equal(configs.length, 0);
  }
});

test("wrong words after server end with code 2 and one line", async () => {
  const cases: readonly [string[], RegExp][] = [
    [["--prot", "1"], /there is no option --prot\. Did you mean --port\?/],
    [["a.cfg", "b.cfg"], /what is b\.cfg/],
    [["2181", "/data"], /write --port N --data-dir D/],
    [["--set", "snapCount"], /write --set name=value/],
    [["--log-level", "loud"], /--log-level loud is not one of: error, warn, info, debug/],
    [["--log-format", "xml"], /--log-format xml is not one of: text, json/],
    [["/no/such/zoo.cfg"], /\/no\/such\/zoo\.cfg: there is no such file/],
    [["/"], /it is a directory/],
    [["--port", "x"], /--port: "x" cannot be used\. Write a whole number from 0 to 65535/],
  ];
  for (const [words, text] of cases) {
    const { terminal, done } = command(["server", ...words]);
    assert.equal(await done, 2, words.join(" "));
    assert.match(terminal.complaints, text);
    assert.match(terminal.complaints, /^vivarium server: .*\n$/);
  }
});

test("a server without a file greets with where it is, where the data is and how to connect", async () => {
  const { terminal, configs, done } = command(["server", "--data-dir", "/some/data"]);
  assert.equal(await done, 0);
  assert.equal(configs[0]?.dataDir, "/some/data");
  for (const text of ["Vivarium 1.2.3", "127.0.0.1:2181", "/some/data", "zkCli.sh -server 127.0.0.1:2181", "Ctrl-C"]) {
    assert.ok(terminal.printed.includes(text), text);
  }
  assert.match(terminal.complaints, /INFO {2}started\n.*INFO {2}stopping {2}signal=SIGTERM\n.*INFO {2}stopped\n$/s);
  assert.equal(terminal.listeners, 0);
});

test("the command line comes before the file, and warnings come before the server", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vivarium-run-"));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, "zoo.cfg");
  await writeFile(file, "dataDir=/d\u00e9\nclientPort=1\nsnpCount=4\nsnapCount=5\n", "latin1");
  const { terminal, configs, done } = command(["server", file, "--port", "7", "--host", "::1", "--set", "snapCount=6"]);
  assert.equal(await done, 0);
  const [config] = configs;
  assert.equal(config?.dataDir, "/dé");
  assert.equal(config?.clientPort, 7);
  assert.equal(config?.clientPortAddress, "::1");
  assert.equal(config?.snapCount, 6);
  assert.match(terminal.complaints, /^\S+ WARN {2}\S+zoo\.cfg:3: snpCount: not a known setting.*\n\S+ INFO {2}started/);
});

test("JSON logging makes every line JSON, the failures too", async () => {
  const good = command(["server", "--log-format", "json"]);
  assert.equal(await good.done, 0);
  assert.equal(good.terminal.printed, "");
  const bad = command(["server", "--log-format", "json", "--set", "tickTime=x"]);
  assert.equal(await bad.done, 2);
  for (const { terminal } of [good, bad]) {
    const lines = terminal.complaints.trimEnd().split("\n");
    for (const line of lines) assert.ok(JSON.parse(line).message, line);
  }
  assert.match(bad.terminal.complaints, /"level":"error".*tickTime/);
});

test("what goes wrong at start has its exit code, one line, and no stack", async () => {
  const denied = withCode("mkdir failed", { code: "EACCES" });
  const cases: readonly [unknown, number, RegExp][] = [
    [withCode("", { code: "EADDRINUSE", address: "127.0.0.1", port: 2181 }), 1, /port 2181 of 127\.0\.0\.1 is in use/],
    [withCode("", { code: "EACCES", syscall: "listen", port: 80 }), 1, /may not listen on port 80/],
    [withCode("", { code: "EADDRNOTAVAIL", address: "1.2.3.4" }), 1, /no address 1\.2\.3\.4/],
    [withCode("getaddrinfo ENOTFOUND nowhere", { code: "ENOTFOUND" }), 1, /host name of clientPortAddress is unknown/],
    [withCode("cannot listen for other servers on a:1", { name: "PeerListenError" }), 14, /other servers on a:1/],
    [withCode("/d is in use by process 1", { name: "DirectoryLockedError" }), 3, /\/d is in use by process 1/],
    [withCode("/d: no. Do this.", { name: "StorageError", cause: denied }), 3, /\/d: no\. Do this\./],
    [withCode("/d/version-2: missing.", { name: "StorageError", file: "/d/version-2" }), 3, /missing/],
    [withCode("/d/log.1: broken.", { name: "StorageError", file: "/d/version-2/log.1" }), 10, /log\.1: broken/],
    [withCode("full", { name: "StorageError", cause: withCode("", { code: "ENOSPC" }) }), 10, /full/],
    [new ConfigError([{ file: "z", line: 1, key: "k", message: "m", hint: "H." }]), 2, /z:1: k: m\. H\./],
  ];
  for (const [error, code, text] of cases) {
    const { terminal, done } = command(["server"], failingWith(error));
    assert.equal(await done, code, String(text));
    assert.match(terminal.complaints, text);
    assert.match(terminal.complaints, /^vivarium server: .*\n$/, "one line");
    assert.equal(terminal.printed, "");
  }
});

test("an error nobody foresaw shows its stack and says whose fault it is", async () => {
  const { terminal, done } = command(["server"], failingWith(new TypeError("oops")));
  assert.equal(await done, 1);
  assert.match(terminal.complaints, /fault of Vivarium itself[\s\S]*TypeError: oops\n {4}at /);
});

test("a server that stops because of a fault ends the command with that fault's code", async () => {
  const fault = withCode("/d/log.1: fsync failed. Check the disk.", { name: "StorageError" });
  const { terminal, done } = command(["server"], async () => {
    return { address: { host: "::", port: 1 }, stop: async () => {}, stopped: Promise.reject(fault) };
  });
  assert.equal(await done, 10);
  assert.match(terminal.complaints, /fsync failed/);
});

test("a second signal ends the process at once, whatever the server is waiting for", async () => {
  const server = stoppable({ host: "::", port: 1 });
  let finish: () => void = () => {};
  const { terminal, done } = command(["server"], async () => {
    setImmediate(() => {
      terminal.signal("SIGINT");
      terminal.now += 999;
      terminal.signal("SIGINT");
      assert.deepEqual(terminal.exits, [], "the same Ctrl-C, passed on by npm");
      terminal.now += 1;
      terminal.signal("SIGINT");
      finish();
    });
    return { ...server, stop: () => new Promise<void>((resolve) => (finish = resolve)).then(() => server.stop()) };
  });
  assert.equal(await done, 0);
  assert.deepEqual(terminal.exits, [1]);
});

test("a signal while the server starts ends the process, which owes nobody anything yet", async () => {
  const { terminal, done } = command(["server"], async () => {
    terminal.signal("SIGTERM");
    assert.deepEqual(terminal.exits, [0]);
    return stoppable({ host: "::", port: 1 });
  });
  assert.equal(await done, 0);
});

test("a failure while stopping is a failure", async () => {
  const server = stoppable({ host: "::", port: 1 });
  const { terminal, done } = command(["server"], async () => {
    setImmediate(() => terminal.signal("SIGTERM"));
    return { ...server, stop: async () => Promise.reject(withCode("cannot flush", { name: "StorageError" })) };
  });
  assert.equal(await done, 10);
  assert.match(terminal.complaints, /cannot flush/);
});
