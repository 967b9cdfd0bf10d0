/** Gives the plays of one file, as tests: each to the servers as they are, and to each of its mutants. */
import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import type { Edit, Mutant, Scenario } from "../scenarios/scenario.ts";

interface Plays {
  readonly scenarios: readonly Scenario[];
}

/** @param testUrl of "x.test.js", beside "x.js" which has the scenarios */
export async function tryScenarios(testUrl: string): Promise<void> {
  const url = testUrl.replace(/\.test\.js$/, ".js");
  const { scenarios } = (await import(url)) as Plays;
  const casts: Edit[][] = [];
  for (const scenario of scenarios) {
    add(scenario, scenario.title, null, ({ play }) => play({}));
    for (const mutant of scenario.mutants) {
      const rules = "without" in mutant ? { [mutant.without]: false } : {};
      const title = `${scenario.title}: found out when ${sinOf(mutant)}`;
      add(scenario, title, mutant, ({ play }) => assert.rejects(async () => play(rules), mutant.fails));
    }
  }
  register("./mutant-hooks.js", import.meta.url, { data: casts });

  function add(scenario: Scenario, title: string, mutant: Mutant | null, act: (it: Scenario) => unknown): void {
    const edits = editsOf(scenario, mutant);
    if (edits.length === 0) {
      test(title, async () => void (await act(scenario)));
      return;
    }
    const number = casts.push(edits) - 1;
    test(title, async () => {
      const { scenarios } = (await import(`${url}?mutant=${number}`)) as Plays;
      await act(scenarios.find(({ title }) => title === scenario.title) as Scenario);
    });
  }
}

function editsOf({ given = [] }: Scenario, mutant: Mutant | null): Edit[] {
  const edits = [...given];
  if (mutant !== null && "file" in mutant) edits.push(mutant, ...(mutant.also ?? []));
  return edits.map(({ file, from, to }) => ({ file, from, to }));
}

function sinOf(mutant: Mutant): string {
  return "without" in mutant ? `${mutant.without} is off` : mutant.broken;
}
