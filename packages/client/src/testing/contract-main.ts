/**
 * `node contract-main.js host:port [word]`: the contract against a server that is there. Prints "ok name" or
 * "FAIL name: why" per case, then "passed N"; a word picks the cases whose name contains it.
 */
import { runCase } from "./contract.ts";
import { dataCases } from "./contract-data.ts";
import { exampleCases } from "./contract-examples.ts";
import { sessionCases } from "./contract-session.ts";

const [server, word = ""] = process.argv.slice(2);
if (server === undefined) throw new Error("usage: node contract-main.js host:port [word]");

let passed = 0;
let failed = 0;
for (const each of [...dataCases, ...sessionCases, ...exampleCases].filter(({ name }) => name.includes(word))) {
  try {
    await runCase(each, server);
    console.log(`ok ${each.name}`);
    passed++;
  } catch (error) {
    failed++;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.log(`FAIL ${each.name}: ${why.split("\n").slice(0, 12).join(" | ")}`);
  }
}
console.log(`passed ${passed}`);
process.exitCode = failed === 0 ? 0 : 1;
