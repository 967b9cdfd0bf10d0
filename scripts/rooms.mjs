// The rooms of the house, read from the table in ARCHITECTURE.md, and the project files that follow from it.
// `node scripts/rooms.mjs --write` writes those files; `npm run check` compares them, so that the table stays true.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "./setup.mjs";

const words = (cell) => [...cell.matchAll(/[a-z]+/g)].map(([word]) => word);

/**
 * @typedef {object} Room
 * @property {string} name folder under packages/
 * @property {string[]} imports all rooms that it may import
 * @property {boolean} pure compiled without Node types
 * @property {boolean} planned has its place in the table, but no folder yet
 */

/** @returns {Room[]} in the order of the table, which is an order in which they can be built */
export function readRooms() {
  const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(
    /^\| `(\w+)` *\|[^|]*\|([^|]*)\|([^|]*)\|$/gm,
  );
  return [...rows].map(([, name, imports, kind]) => ({
    name,
    imports: words(imports),
    pure: words(kind).includes("pure"),
    planned: kind.includes("to come"),
  }));
}

/** The compiler's project for a room's code: its own rooms by their sources, every other one refused. */
function project({ imports, pure }) {
  const own = imports.map((name) => [`@vivarium/${name}`, [`../${name}/src/index.ts`]]);
  return {
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      rootDir: "src",
      outDir: "dist",
      tsBuildInfoFile: "dist/.tsbuildinfo",
      ...(pure ? {} : { types: ["node"] }),
      paths: Object.fromEntries([...own, ["@vivarium/*", ["../../scripts/not-allowed-here.d.ts"]]]),
    },
    include: ["src/**/*.ts"],
    exclude: ["src/**/*.test.ts", "src/**/testing/**"],
    references: imports.map((name) => ({ path: `../${name}` })),
  };
}

/** The project for its tests, which always have Node types. */
function testProject({ imports }) {
  return {
    extends: "./tsconfig.json",
    compilerOptions: { types: ["node"], tsBuildInfoFile: "dist/.tsbuildinfo-test" },
    include: ["src/**/*.test.ts", "src/**/testing/**/*.ts"],
    exclude: [],
    references: [".", ...imports.map((name) => `../${name}`)].map((path) => ({ path })),
  };
}

function solution(rooms) {
  const paths = rooms.flatMap(({ name }) => [`packages/${name}`, `packages/${name}/tsconfig.test.json`]);
  return { files: [], references: paths.map((path) => ({ path })) };
}

/** Every project file that follows from the table: its path and what it must hold. */
function projectFiles(rooms) {
  const built = rooms.filter((room) => !room.planned);
  const files = built.flatMap((room) => [
    [`packages/${room.name}/tsconfig.json`, project(room)],
    [`packages/${room.name}/tsconfig.test.json`, testProject(room)],
  ]);
  return [["tsconfig.json", solution(built)], ...files];
}

const readJson = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const same = (a, b) => JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));

/** The same value with keys and items sorted: their order means nothing in a project file. */
function inOrder(value) {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(inOrder(item))).sort();
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([key, item]) => [key, inOrder(item)]),
  );
}

/** @returns {string[]} where the checkout and the table differ, one sentence each */
export function roomProblems(rooms = readRooms()) {
  const built = rooms.filter((room) => !room.planned);
  const folders = readdirSync(join(root, "packages")).filter((name) =>
    existsSync(join(root, "packages", name, "package.json")),
  );
  const problems = folders
    .filter((name) => !built.some((room) => room.name === name))
    .map((name) => `packages/${name} has no row in the table of ARCHITECTURE.md, or its row says "to come"`);
  for (const [path, expected] of projectFiles(rooms)) {
    if (!existsSync(join(root, path))) problems.push(`${path} is missing: node scripts/rooms.mjs --write`);
    else if (!same(readJson(path), expected)) {
      problems.push(
        `${path} differs from the table of ARCHITECTURE.md: node scripts/rooms.mjs --write, or mend the table`,
      );
    }
  }
  for (const { name, imports } of built.filter((room) => folders.includes(room.name))) {
    const { dependencies = {}, version } = readJson(`packages/${name}/package.json`);
    const expected = Object.fromEntries(imports.map((room) => [`@vivarium/${room}`, version]));
    const own = Object.fromEntries(Object.entries(dependencies).filter(([key]) => key.startsWith("@vivarium/")));
    if (!same(own, expected))
      problems.push(`packages/${name}/package.json: dependencies should be ${JSON.stringify(expected)}`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--write")) {
  for (const [path, content] of projectFiles(readRooms())) {
    if (existsSync(join(root, path)) && same(readJson(path), content)) continue;
    writeFileSync(join(root, path), `${JSON.stringify(content, null, 2)}\n`);
    console.log(`wrote ${path}; npm run fix formats it`);
  }
}
