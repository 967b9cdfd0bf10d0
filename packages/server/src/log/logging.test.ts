import assert from "node:assert/strict";
import { test } from "node:test";
import { collectLogs } from "./collect-logs.ts";
import { jsonFormat, textFormat } from "./line-format.ts";
import { LogThrottle } from "./log-throttle.ts";
import { createLogger, type LogLevel, type LogRecord, logLevels, silentLogger } from "./logger.ts";

const record = (fields: LogRecord["fields"], message = "fsync was slow"): LogRecord => {
  return { timeMs: Date.UTC(2026, 10, 23, 10, 15, 2, 114), level: "warn", message, fields };
};

test("a logger writes its own level and those above it, and says so", () => {
  for (const [index, threshold] of logLevels.entries()) {
    const { logger, records } = collectLogs({ level: threshold });
    for (const level of logLevels) logger[level]("line");
    const wanted: readonly LogLevel[] = logLevels.slice(0, index + 1);
    assert.deepEqual(
      records.map(({ level }) => level),
      wanted,
    );
    assert.deepEqual(
      logLevels.filter((level) => logger.enabled(level)),
      wanted,
    );
  }
});

test("a child's fields stand before the line's own, and the line's own win", () => {
  const { logger, records } = collectLogs();
  logger.child({ connection: "a", port: 1 }).child({ session: "s" }).info("opened", { port: 2 });
  assert.deepEqual(records[0]?.fields, { connection: "a", port: 2, session: "s" });
});

test("the clock is the injected one", () => {
  const times: number[] = [];
  createLogger({ now: () => 42, write: ({ timeMs }) => times.push(timeMs) }).info("x");
  assert.deepEqual(times, [42]);
});

test("silentLogger and its children take everything and say nothing", () => {
  silentLogger.child({ a: 1 }).error("x");
  assert.equal(silentLogger.enabled("error"), false);
});

test("text lines show each kind of value in a readable form", () => {
  const cases: readonly [LogRecord["fields"], string][] = [
    [{}, ""],
    [{ ms: 1820, file: "log.1a" }, "  ms=1820 file=log.1a"],
    [{ session: 0x1000n, ok: true, none: undefined }, "  session=4096 ok=true"],
    [{ path: "/a b" }, '  path="/a b"'],
    [{ path: "" }, '  path=""'],
    [{ error: new Error("no space left") }, '  error="no space left"'],
    [{ list: [1, 2n] }, '  list="[1,\\"2\\"]"'],
  ];
  for (const [fields, wanted] of cases) {
    assert.equal(textFormat()(record(fields)), `2026-11-23T10:15:02.114Z WARN  fsync was slow${wanted}\n`);
  }
});

test("a terminal gets the level in colour", () => {
  assert.ok(textFormat({ colour: true })(record({})).includes(" \u001b[33mWARN \u001b[39m fsync"));
});

test("an error's stack is in the text only when asked for, on the same line", () => {
  const error = new Error("broken");
  assert.doesNotMatch(textFormat()(record({ error })), /logging\.test/);
  const line = textFormat({ stacks: true })(record({ error }));
  assert.match(line, /error=broken at=".*logging\.test.* < .*"\n$/);
});

test("no value can break a line or reach the terminal as a control sequence", () => {
  const nasty = "a\nb\u001b[31m\u0085\u2028\u202e";
  for (const format of [textFormat(), jsonFormat]) {
    const line = format(record({ path: nasty, error: new Error(nasty), list: [nasty] }, nasty));
    assert.equal(line.split("\n").length, 2, line);
    assert.ok(!line.includes("\u001b"), line);
  }
  assert.doesNotMatch(textFormat()(record({ path: nasty }, nasty)).trimEnd(), /[\p{Cc}\p{Cf}\u2028]/u);
});

test("JSON lines keep values as they are, and can always be written", () => {
  const loop: { self?: unknown } = {};
  loop.self = loop;
  const error = new Error("no", { cause: new Error("disk full") });
  const line = JSON.parse(
    jsonFormat(record({ ms: 3, id: 2n ** 63n, error, loop, level: "shadow", deep: { big: 1n } })),
  );
  assert.equal(line.time, "2026-11-23T10:15:02.114Z");
  assert.equal(line.level, "warn");
  assert.equal(line.level_, "shadow");
  assert.equal(line.ms, 3);
  assert.equal(line.id, "9223372036854775808");
  assert.equal(line.error.message, "no");
  assert.equal(line.error.cause, "Error: disk full");
  assert.equal(line.loop, "[cannot be shown]");
  assert.deepEqual(line.deep, { big: "1" });
});

test("a throttle writes the first lines of a kind, counts the rest, and tells the count later", () => {
  let now = 0;
  const { logger, records } = collectLogs();
  const throttle = new LogThrottle({ logger, now: () => now, burst: 2, intervalMs: 100 });
  for (let i = 0; i < 5; i++) throttle.warn("bad frame", { i });
  throttle.warn("too many connections");
  assert.deepEqual(
    records.map(({ message, fields }) => [message, fields]),
    [
      ["bad frame", { i: 0 }],
      ["bad frame", { i: 1 }],
      ["too many connections", {}],
    ],
  );
  now = 100;
  throttle.warn("bad frame", { i: 5 });
  assert.deepEqual(records[3]?.fields, { i: 5, alsoSuppressed: 3 });
  throttle.warn("bad frame");
  throttle.warn("bad frame");
  throttle.flush();
  throttle.flush();
  assert.equal(records.length, 6);
  assert.deepEqual(records[5]?.fields, { alsoSuppressed: 1 });
});

test("a throttle remembers a bounded number of kinds", () => {
  const { logger, records } = collectLogs();
  const throttle = new LogThrottle({ logger, now: () => 0, burst: 1, maxKinds: 3 });
  for (let i = 0; i < 100; i++) throttle.warn(`kind ${i}`);
  assert.equal(records.length, 4);
});
