import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceBetweenMarks } from "./page.ts";

test("only what stands between the marks of that name is replaced", () => {
  const page = "a <!-- x:begin --> old <!-- x:end --> b <!-- bench:begin --> old <!-- bench:end --> c";
  assert.equal(
    replaceBetweenMarks(page, "new"),
    "a <!-- x:begin --> old <!-- x:end --> b <!-- bench:begin -->\n\nnew\n\n<!-- bench:end --> c",
  );
  assert.equal(replaceBetweenMarks(page, "new", "x").startsWith("a <!-- x:begin -->\n\nnew\n\n<!-- x:end --> b"), true);
  assert.throws(() => replaceBetweenMarks("no marks", "new"), /no <!-- bench:begin -->/);
});
