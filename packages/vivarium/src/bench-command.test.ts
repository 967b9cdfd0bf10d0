// The command against a real server in this process, over real connections, with loads of a tenth of a second.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@vivarium/client";
import { workloads } from "@vivarium/load";
import type { RunningServer } from "@vivarium/server";
import { benchCommand } from "./bench-command.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";
import { startLiveServer } from "./testing/live-server.ts";

const small = ["--seconds", "0.1", "--connections", "3", "--window", "5", "--sessions", "8", "--children", "100"];

async function withServer(work: (hostPort: string, server: RunningServer) => Promise<void>): Promise<void> {
  // A short tick, so that sessions expire soon.
  const server = await startLiveServer({ tickTime: 50 });
  try {
    await work(`127.0.0.1:${server.address.port}`, server);
  } finally {
    await server.stop();
  }
}

async function childrenOf(hostPort: string, path: string): Promise<string[]> {
  const client = await connect(hostPort);
  const { children } = await client.getChildren(path);
  await client.close();
  return children.sort();
}

interface Printed {
  readonly hosts: unknown;
  readonly settings: Record<string, number>;
  readonly figures: { key: string; value: number; unit: string }[];
}

test("every workload gives its figures, and nothing stays of what it made", async () => {
  await withServer(async (hostPort) => {
    const terminal = new FakeTerminal();
    assert.equal(await benchCommand({ words: [hostPort, "--json", ...small], terminal }), 0, terminal.complaints);
    const { settings, figures } = JSON.parse(terminal.printed) as Printed;
    assert.equal(settings["sessions"], 8);
    for (const { name } of workloads) {
      const own = figures.filter(({ key }) => key === name || key.startsWith(`${name}.`));
      // A tenth of a second can be too short for a megabyte, and a fan-out for a ping.
      for (const { key, value } of own) assert.ok(value >= 0 && Number.isFinite(value), `${key} is ${value}`);
      assert.ok(
        own.some(({ value }) => value > 0),
        `figures of ${name}`,
      );
    }
    const lists = figures.filter(({ key }) => key.startsWith("children."));
    assert.deepEqual(
      lists.map(({ key }) => key),
      ["children.10", "children.100"],
    );
    assert.deepEqual(await childrenOf(hostPort, "/"), ["zookeeper"]);
    assert.equal(terminal.listeners, 0);
  });
});

test("the figures are a table, below the path that was given, with the workloads that were chosen", async () => {
  await withServer(async (hostPort) => {
    const client = await connect(hostPort);
    await client.create("/team");
    await client.close();
    const terminal = new FakeTerminal();
    const words = [`${hostPort}/team`, "--only", "multi,mixed", "--read-percent", "0", ...small];
    assert.equal(await benchCommand({ words, terminal }), 0, terminal.complaints);
    const lines = terminal.printed.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^multis of 10 setData +[\d,]+ ops\/s$/);
    assert.equal(lines.filter((line) => line.includes("percentile of a read")).length, 0);
    assert.equal(lines.filter((line) => line.includes("percentile of a write")).length, 1);
    assert.match(terminal.complaints, /^multi: multis of 10 setData\nmixed: reads and writes\n/);
    assert.deepEqual(await childrenOf(hostPort, "/team"), []);
  });
});

test("Ctrl-C ends it early, removes what it made, and prints what there is", async () => {
  await withServer(async (hostPort) => {
    const terminal = new FakeTerminal();
    const { complain } = terminal;
    // The moment at which the second workload is at work.
    terminal.complain = (text) => {
      complain.call(terminal, text);
      if (!text.startsWith("ephemerals:")) return;
      // Through npx it comes twice; only one that comes much later is a second one.
      for (const now of [0, 10, 2000]) {
        terminal.now = now;
        terminal.signal("SIGINT");
      }
    };
    const words = [hostPort, "--only", "multi,ephemerals,storm", ...small, "--seconds", "0.5"];
    assert.equal(await benchCommand({ words, terminal }), 1);
    assert.match(terminal.printed, /^multis of 10 setData/);
    assert.match(terminal.complaints, /stopping; \/vivarium-bench-\w+ is being removed/);
    assert.match(terminal.complaints, /vivarium bench: stopped before its end\n$/);
    assert.doesNotMatch(terminal.complaints, /storm/);
    assert.deepEqual(terminal.exits, [1]);
    assert.deepEqual(await childrenOf(hostPort, "/"), ["zookeeper"]);
    assert.equal(terminal.listeners, 0);
  });
});

test("on a terminal one line shows how far it is", async () => {
  await withServer(async (hostPort) => {
    const terminal = new FakeTerminal();
    terminal.isInteractive = true;
    assert.equal(
      await benchCommand({ words: [hostPort, "--only", "reads", ...small, "--seconds", "0.5"], terminal }),
      0,
    );
    assert.match(terminal.complaints.replaceAll("\x1b", "<esc>"), /\r<esc>\[K█+░+ \d+ % {2}reads: reads/);
    assert.ok(!terminal.complaints.includes("\n"));
  });
});

test("a server that is not there, and one that goes away, are said", async () => {
  await withServer(async (hostPort, server) => {
    const terminal = new FakeTerminal();
    terminal.complain = (text) => {
      FakeTerminal.prototype.complain.call(terminal, text);
      void server.stop();
    };
    assert.equal(
      await benchCommand({ words: [hostPort, "--only", "writes", ...small, "--seconds", "5"], terminal }),
      1,
    );
    assert.match(
      terminal.complaints,
      /\/vivarium-bench-\w+ could not be removed: delete it, and all below it, by hand/,
    );
    const late = new FakeTerminal();
    assert.equal(await benchCommand({ words: [hostPort, ...small], terminal: late }), 1);
    assert.match(late.complaints, /no server gives a session \(127\.0\.0\.1:\d+: /);
  });
});

test("wrong words end with code 2 and one line", async () => {
  const cases: readonly [string[], RegExp][] = [
    [[], /which servers\? Write vivarium bench host:port\./],
    [["a:1", "b:2"], /what is b:2\? Servers are separated by commas\./],
    [["a:x"], /the port must be a number/],
    [["dns-srv://a"], /dns-srv:\/\/ does not work here/],
    [["a:1", "--only", "raeds"], /there is no workload raeds\. The workloads are: reads, writes, /],
    [["a:1", "--seconds", "0"], /--seconds 0 is not a number from 0\.1 to 3600\./],
    [["a:1", "--read-percent", "101"], /--read-percent 101 is not a whole number from 0 to 100\./],
    [["a:1", "--size", "1048576"], /--size 1048576 is not a whole number/],
  ];
  for (const [words, message] of cases) {
    const terminal = new FakeTerminal();
    assert.equal(await benchCommand({ words, terminal }), 2, words.join(" "));
    assert.match(terminal.complaints, message);
    assert.equal(terminal.complaints.split("\n").length, 2);
  }
});

test("the help lists options and workloads", async () => {
  const terminal = new FakeTerminal();
  assert.equal(await benchCommand({ words: ["--help"], terminal }), 0);
  for (const { name } of workloads) assert.match(terminal.printed, new RegExp(`^ {2}${name} `, "m"));
  assert.match(terminal.printed, /--read-percent P/);
});
