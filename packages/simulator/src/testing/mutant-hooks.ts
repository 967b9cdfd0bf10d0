/**
 * Loads the program once more with a place of a file changed: `import("…/play.js?mutant=3")` gives that module, and all
 * that it imports in rooms that feel the change, in copies of their own. Everybody else's stay as they are.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Edit } from "../scenarios/scenario.ts";

/** Where a change of a room is felt: in itself, and in those that import it. */
const FELT_IN: Readonly<Record<string, readonly string[]>> = {
  protocol: ["protocol", "client", "tree", "zab", "storage", "server", "simulator"],
  tree: ["tree", "server", "simulator"],
  zab: ["zab", "server", "simulator"],
  storage: ["storage", "server", "simulator"],
  server: ["server", "simulator"],
};

interface Context {
  readonly parentURL?: string | undefined;
}
type Next<Result> = (at: string, context: Context) => Promise<Result>;

interface Mutant {
  readonly edits: readonly Edit[];
  readonly rooms: ReadonlySet<string | undefined>;
}

let mutants: readonly Mutant[] = [];
const sources = new Map<string, Promise<string>>();

export function initialize(given: readonly (readonly Edit[])[]): void {
  mutants = given.map((edits) => ({ edits, rooms: new Set(edits.flatMap(({ file }) => FELT_IN[roomOf(file)] ?? [])) }));
}

const roomOf = (file: string): string => file.slice(0, file.indexOf("/"));
const builtRoom = (url: string): string | undefined => /\/packages\/(\w+)\/dist\//.exec(url)?.[1];
const numberOf = (url: string | undefined): string | undefined => /\?mutant=(\d+)$/.exec(url ?? "")?.[1];

export async function resolve(specifier: string, context: Context, next: Next<{ url: string }>) {
  const resolved = await next(specifier, context);
  const number = numberOf(context.parentURL);
  if (number === undefined || !mutants[Number(number)]?.rooms.has(builtRoom(resolved.url))) return resolved;
  return { ...resolved, url: `${resolved.url}?mutant=${number}` };
}

export async function load(url: string, context: Context, next: Next<unknown>) {
  const number = numberOf(url);
  if (number === undefined) return next(url, context);
  const path = fileURLToPath(url);
  const here = mutants[Number(number)]?.edits.filter(({ file }) => path.endsWith(builtPath(file))) ?? [];
  return { format: "module", source: here.reduce(edited, await sourceOf(path)), shortCircuit: true };
}

const builtPath = (file: string): string => `/packages/${file.replace("/", "/dist/").replace(/\.ts$/, ".js")}`;

/** Without its map, which would take longer to read than all else. */
function sourceOf(path: string): Promise<string> {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const source = readFile(path, "utf8").then((text) => text.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
  sources.set(path, source);
  return source;
}

/** The text of a file with the edit in it. @throws Error unless it has exactly one place for it */
export function edited(text: string, { file, from, to }: Edit): string {
  const words = from.trim().split(/\s+/);
  const pattern = new RegExp(words.map((word) => word.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")).join("\\s+"), "g");
  const count = [...text.matchAll(pattern)].length;
  if (count !== 1) throw new Error(`${file} has ${count} places that read ${JSON.stringify(from)}: adapt the mutant`);
  return text.replace(pattern, () => to);
}
