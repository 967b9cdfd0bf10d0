import assert from "node:assert/strict";
import { test } from "node:test";
import { type OptionSpec, optionsHelp, readCommandLine, UsageError } from "./command-line.ts";

const specs: readonly OptionSpec[] = [
  { name: "port", value: "N", doc: "The port" },
  { name: "set", value: "name=value", multiple: true, doc: "A setting" },
  { name: "help", short: "h", doc: "This text" },
];

test("options and operands may come in any order and form", () => {
  const line = readCommandLine(["--set", "a=1", "zoo.cfg", "--port=5", "--set=b==2", "-h", "--", "--port"], specs);
  assert.deepEqual(line.operands, ["zoo.cfg", "--port"]);
  assert.equal(line.value("port"), "5");
  assert.deepEqual(line.values("set"), ["a=1", "b==2"]);
  assert.ok(line.has("help"));
  assert.ok(!line.has("version"));
});

test("one --set may be followed by several settings", () => {
  const line = readCommandLine(["--set", "a=1", "b=2", "zoo.cfg", "--port", "5", "c=3", "--set=d=4", "e=5"], specs);
  assert.deepEqual(line.values("set"), ["a=1", "b=2", "d=4", "e=5"]);
  assert.deepEqual(line.operands, ["zoo.cfg", "c=3"]);
});

test("the last value of an option counts, and values may be negative or empty", () => {
  assert.equal(readCommandLine(["--port", "1", "--port", "-2"], specs).value("port"), "-2");
  assert.equal(readCommandLine(["--port="], specs).value("port"), "");
});

test("wrong options are explained", () => {
  const cases: readonly [string[], string][] = [
    [["--prot", "5"], "there is no option --prot. Did you mean --port?"],
    [["--zzzzzz"], "there is no option --zzzzzz."],
    [["-x"], "there is no option -x."],
    [["--port"], "--port needs a value: --port N."],
    [["--port", "--help"], "--port needs a value: --port N."],
    [["--help=yes"], "--help takes no value."],
  ];
  for (const [words, message] of cases) {
    assert.throws(
      () => readCommandLine(words, specs),
      (error) => error instanceof UsageError && error.message === message,
      words.join(" "),
    );
  }
});

test("help lines are aligned", () => {
  assert.equal(
    optionsHelp(specs),
    "  --port N              The port\n  --set name=value ...  A setting\n  -h, --help            This text",
  );
});
