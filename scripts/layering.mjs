// Proof that the walls of the house hold: for each room, a file that imports every room it may not import, and for a
// pure room one that reaches for Node, is given to the compiler, which must refuse each of these lines.
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { readRooms } from "./rooms.mjs";
import { root } from "./setup.mjs";

const scratch = join(root, ".cache", "layering");

/** Lines that must not compile in a room, each with what the compiler must say of it. */
function wrongLines(room, rooms) {
  const forbidden = rooms.filter(({ name }) => name !== room.name && !room.imports.includes(name));
  const imports = forbidden.map(({ name }) => ({
    line: `import { anything as ${name} } from "@vivarium/${name}";`,
    says: "not-allowed-here",
  }));
  const node = [
    { line: 'import { readFileSync } from "node:fs";', says: "node:fs" },
    { line: "setTimeout(() => {}, 1);", says: "setTimeout" },
    { line: "Buffer.alloc(1);", says: "Buffer" },
    { line: "console.log(1);", says: "console" },
  ];
  return room.pure ? [...imports, ...node] : imports;
}

function writeProject(room, lines) {
  const folder = join(scratch, room.name);
  mkdirSync(folder, { recursive: true });
  const project = {
    extends: `../../../packages/${room.name}/tsconfig.json`,
    compilerOptions: { rootDir: "../../..", noEmit: true, composite: false, incremental: false, tsBuildInfoFile: null },
    include: ["wrong.ts"],
    exclude: [],
    references: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
  writeFileSync(join(folder, "wrong.ts"), `${lines.map(({ line }) => line).join("\n")}\n`);
  return folder;
}

function compile(folder) {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const child = spawn(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { cwd: folder });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve, reject) => child.on("error", reject).on("close", () => resolve(output)));
}

/** @returns {Promise<string[]>} the lines that the compiler should have refused and did not */
export async function layeringProblems(rooms = readRooms().filter((room) => !room.planned)) {
  rmSync(scratch, { recursive: true, force: true });
  const problems = [];
  for (const room of rooms) {
    const lines = wrongLines(room, rooms);
    const errors = (await compile(writeProject(room, lines))).split("\n");
    lines.forEach(({ line, says }, index) => {
      const refused = errors.some((error) => error.startsWith(`wrong.ts(${index + 1},`) && error.includes(says));
      if (!refused) problems.push(`packages/${room.name}: this compiles, and must not: ${line}`);
    });
  }
  return problems;
}
