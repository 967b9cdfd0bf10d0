/** docs/known-bugs.md keeps its word: every bug of its list has a row, and every row a scenario that finds mutants out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Scenario } from "./scenario.ts";

const docs = new URL("../../../../docs/", import.meta.url);
const page = readFileSync(new URL("known-bugs.md", docs), "utf8");

interface Row {
  readonly bugs: readonly string[];
  readonly shownBy: string;
  readonly line: string;
}

const rows: Row[] = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| bug "))
  .map((line) => {
    const cells = line.slice(2, -2).split(" | ");
    return { bugs: (cells[0] ?? "").split(", "), shownBy: cells[3] ?? "", line };
  });

/** Of sections A to G of the list of known bugs that we go by. */
const EXPECTED = 122;

test("every bug is named once", () => {
  const bugs = rows.flatMap(({ bugs }) => bugs);
  assert.equal(new Set(bugs).size, bugs.length);
  assert.equal(bugs.length, EXPECTED);
});

for (const { bugs, shownBy, line } of rows) {
  test(`${bugs.join(", ")}: what the page links to is there, and tries a mutant`, async () => {
    if (shownBy === "—") return assert.match(line, /\| not ours: [^|]+ \|/, "a reason");
    const links = [...shownBy.matchAll(/\]\((\S+) "([^"]+)"\)/g)];
    assert.ok(links.length > 0, "a link");
    for (const [, path = "", name = ""] of links) {
      if (path.endsWith(".txt")) {
        const rule = /^# rule: (\w+)$/m.exec(readFileSync(new URL(path, docs), "utf8"))?.[1];
        assert.equal(rule, name, path);
      } else await assertIsPlay(path, name, bugs);
    }
  });
}

async function assertIsPlay(path: string, title: string, bugs: readonly string[]): Promise<void> {
  const file = path.slice(path.lastIndexOf("/") + 1).replace(/\.ts$/, "");
  const { scenarios } = (await import(new URL(`${file}.js`, import.meta.url).href)) as {
    scenarios: readonly Scenario[];
  };
  const scenario = scenarios.find((scenario) => scenario.title === title);
  assert.ok(scenario !== undefined, `${file} has no play "${title}"`);
  assert.ok(
    bugs.some((bug) => scenario.about.includes(bug)),
    `"${title}" says nothing of ${bugs.join(" or ")}`,
  );
  assert.ok(scenario.mutants.length > 0);
}
