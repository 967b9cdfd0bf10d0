// The testkit's fixtures under vitest itself: the example of docs/testkit-vitest.md. Nothing else here needs vitest, so it
// is installed beside the example, where `npm test` finds it from then on.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { must, run } from "./lib/command.mjs";
import { repoDir } from "./lib/paths.mjs";

const example = join(repoDir, "examples", "testing-vitest");
const program = join(example, "node_modules", "vitest", "vitest.mjs");
const title = "vitest (the testkit's fixtures)";

async function runExample() {
  if (!existsSync(program)) {
    console.log("interop: fetching vitest");
    await must("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], { cwd: example });
  }
  const { stdout, stderr, code } = await run(process.execPath, [program, "run", "--reporter=json"], { cwd: example });
  const report = JSON.parse(stdout.slice(stdout.indexOf("{")) || "{}");
  const tests = (report.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  const ok = tests.filter(({ status }) => status === "passed").map((test) => test.title);
  const failures = tests
    .filter(({ status }) => status !== "passed")
    .map((test) => `${test.title}: ${test.failureMessages}`);
  if (failures.length === 0 && (code !== 0 || ok.length === 0))
    failures.push(`it ended with ${code}: ${stderr.slice(-600)}`);
  return { ok, failures };
}

/** The row of the table that `run.mjs` prints. */
export const vitest = {
  name: "vitest",
  async run({ against }) {
    if (!against.includes("vivarium")) return [];
    const startedAt = Date.now();
    const result = await runExample().catch((error) => ({ ok: [], failures: [error.message] }));
    result.seconds = (Date.now() - startedAt) / 1000;
    console.log(`${title}: ${result.ok.length} passed, ${result.failures.length} failed`);
    return [{ title, results: { vivarium: result } }];
  },
};
