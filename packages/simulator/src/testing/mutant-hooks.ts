/**
 * Loads the whole program once more with one place of one file changed. `import("…/play.js?mutant=3")` gives that module,
 * and all that it imports, in copies of their own; everybody else's stay as they are.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Edit } from "../scenarios/scenario.ts";

interface Context {
  readonly parentURL?: string | undefined;
}
type Next<Result> = (at: string, context: Context) => Promise<Result>;

/** By number. */
let mutants: readonly (readonly Edit[])[] = [];

export function initialize(given: readonly (readonly Edit[])[]): void {
  mutants = given;
}

const mutantOf = (url: string | undefined): string | null =>
  url === undefined || !url.startsWith("file:") ? null : new URL(url).searchParams.get("mutant");

export async function resolve(specifier: string, context: Context, next: Next<{ url: string }>) {
  const resolved = await next(specifier, context);
  const mutant = mutantOf(context.parentURL);
  if (mutant === null || !resolved.url.startsWith("file:")) return resolved;
  return { ...resolved, url: `${resolved.url}?mutant=${mutant}` };
}

export async function load(url: string, context: Context, next: Next<unknown>) {
  const mutant = mutantOf(url);
  const edits = mutant === null ? [] : (mutants[Number(mutant)] ?? []);
  const here = edits.filter(({ file }) => new URL(url).pathname.endsWith(builtPath(file)));
  if (here.length === 0) return next(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  return { format: "module", source: here.reduce(edited, text), shortCircuit: true };
}

const builtPath = (file: string): string => `/packages/${file.replace("/", "/dist/").replace(/\.ts$/, ".js")}`;

/** The text of a file with the edit in it. @throws Error unless it has exactly one place for it */
export function edited(text: string, { file, from, to }: Edit): string {
  const words = from.trim().split(/\s+/);
  const pattern = new RegExp(words.map((word) => word.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")).join("\\s+"), "g");
  const count = [...text.matchAll(pattern)].length;
  if (count !== 1) throw new Error(`${file} has ${count} places that read ${JSON.stringify(from)}: adapt the mutant`);
  return text.replace(pattern, () => to);
}
