/** docs/client.md keeps its word: a "yes" of ours links to a test, and the file and the test of each link are there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const docs = new URL("../../../docs/", import.meta.url);
const page = readFileSync(new URL("client.md", docs), "utf8");

const rows = page
  .slice(page.indexOf("| feature | ours"))
  .split("\n")
  .slice(2)
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split(" | "))
  .map(([feature = "", ours = ""]) => ({ feature: feature.slice(2), ours }));

test("the table has every row of the features that others have", () => assert.equal(rows.length, 46));

for (const { feature, ours } of rows.filter((row) => row.ours.startsWith("yes"))) {
  test(`"${feature}" links to tests that exist`, () => {
    const links = [...ours.matchAll(/\]\((\S+) "([^"]+)"\)/g)];
    assert.ok(links.length > 0, "a yes without a test");
    for (const [, path = "", name = ""] of links) {
      assert.ok(readFileSync(new URL(path, docs), "utf8").includes(name), `${path} has no test "${name}"`);
    }
  });
}

test("all other links of the page lead somewhere", () => {
  for (const [, path = ""] of page.matchAll(/\]\((\.\.?\/[^)\s#]+)/g)) {
    assert.ok(existsSync(fileURLToPath(new URL(path, docs))), path);
  }
});
