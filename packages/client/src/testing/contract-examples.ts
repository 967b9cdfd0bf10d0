/** Contract: the programs under examples/ do what they show. */
import assert from "node:assert/strict";
import type { ContractCase } from "./contract.ts";

type Example = (servers: string, print: (line: string) => void) => Promise<unknown>;

const examples: { file: string; name: string; result: unknown }[] = [
  { file: "configuration", name: "configuration", result: [10, 11, 12] },
  { file: "presence", name: "presence", result: ["ada grace", "grace"] },
  { file: "work-queue", name: "workQueue", result: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { file: "leader-election", name: "leaderElection", result: [0, 1, 2] },
  { file: "watch-subtree", name: "watchSubtree", result: ["/shop", "/shop/fruit", "/shop/fruit/apple"] },
];

export const exampleCases: ContractCase[] = examples.map(({ file, name, result }) => ({
  name: `the example ${file} runs`,
  run: async ({ connectString }) => {
    const url = new URL(`../../../../examples/${file}.mjs`, import.meta.url);
    const module = (await import(url.href)) as Record<string, Example>;
    const example = module[name];
    assert.ok(example, `${file}.mjs does not export ${name}`);
    const found = await example(connectString, () => undefined);
    assert.deepEqual(Array.isArray(found) ? found.sort((a, b) => (a < b ? -1 : 1)) : found, result);
  },
}));
