// Our small rules about text that neither the compiler nor Biome has: each is a row with a sentence, the files it is
// about, what it finds in them, and a text that it must refuse. The rules are tried on those texts first.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./setup.mjs";

const MAX_LINES = 400;
/** From how many lines on a file opens with a comment. */
const COMMENT_LINES = 50;
/** Files that may be longer, and why. */
const longFiles = {
  "packages/tree/src/node-store.ts": "one memory layout, read and written in one place",
  "packages/client/src/zookeeper.ts":
    "what programs see of the client: one short method and its documentation per operation",
  "packages/client/src/session-machine.ts": "one state machine with all its transitions",
};

const code = (path) => /\.(ts|mjs|js)$/.test(path) && path !== "scripts/tidy.mjs";
const roomSource = (path) => /^packages\/\w+\/src\/.*\.ts$/.test(path);
const roomCode = (path) => roomSource(path) && !path.endsWith(".test.ts") && !path.includes("/testing/");
const text = (path) =>
  !/\/testdata\//.test(path) && !["package-lock.json", "LICENSE", "scripts/tidy.mjs"].includes(path);

/** Line numbers at which a pattern is found. */
const lines = (pattern) => (content) =>
  content
    .split("\n")
    .flatMap((line, index) => (pattern.test(line) ? [`line ${index + 1}: ${line.trim().slice(0, 100)}`] : []));

/** Relative links of a page, and the `room/file.ts` that it mentions, that lead nowhere. */
function missingFiles(content, path) {
  const links = [...content.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => join(dirname(path), link));
  const sources = [...content.matchAll(/`(?!src)([a-z]+)\/((?:[\w-]+\/)*[\w-]+\.ts)`/g)];
  const files = sources.map(([, room, file]) => join("packages", room, "src", file));
  return [...links, ...files].filter((file) => !existsSync(join(root, file)));
}

/**
 * @typedef {object} Rule
 * @property {string} says what is wrong when the rule finds something
 * @property {(path: string) => boolean} files
 * @property {(content: string, path: string) => string[]} find
 * @property {[path: string, content: string]} refuses
 * @type {Rule[]}
 */
const rules = [
  {
    says: `a source file over ${MAX_LINES} lines: split it by what its parts are about, or give the reason in scripts/tidy.mjs`,
    files: (path) => code(path) && !path.endsWith(".test.ts") && !path.includes("/testing/"),
    find: (content, path) => {
      const count = content.split("\n").length - 1;
      return count > MAX_LINES && longFiles[path] === undefined ? [`${count} lines`] : [];
    },
    refuses: ["packages/tree/src/a.ts", "//\n".repeat(MAX_LINES + 1)],
  },
  {
    says: "left unfinished: do it now, or write an issue",
    files: text,
    find: lines(/\b(TODO|FIXME|XXX|HACK)\b/),
    refuses: ["packages/tree/src/a.ts", "// TODO later"],
  },
  {
    says: "a path of somebody's machine",
    files: text,
    find: lines(/(^|[\s"'`(=])\/(work|root|home|Users)\//),
    refuses: ["README.md", "see /work/main"],
  },
  {
    says: "a registry's or mirror's address: npm and git know theirs",
    files: (path) => path === "package-lock.json" || text(path),
    find: lines(/https?:\/\/[^\s"']*(registry|artifactory|nexus|mirror|proxy\.golang)/i),
    refuses: ["package-lock.json", '"resolved": "https://registry.example.org/a.tgz"'],
  },
  {
    says: "a core file without an opening comment: what it is, its place in the flow, its invariants",
    files: (path) => roomCode(path) || /^(scripts|interop)\/.*\.mjs$/.test(path),
    find: (content) =>
      content.split("\n").length > COMMENT_LINES && !/^(#!.*\n)?(\/\*\*|\/\/)/.test(content) ? ["line 1"] : [],
    refuses: ["packages/tree/src/a.ts", `import "./b.ts";\n${"\n".repeat(COMMENT_LINES)}`],
  },
  {
    says: "a test that runs alone or not at all: .only and .skip do not stay",
    files: (path) => path.endsWith(".test.ts") || path.endsWith(".test.mjs"),
    find: lines(/\b(test|it|describe|suite)\.(only|skip|todo)\b|\bonly: true\b/),
    refuses: ["packages/tree/src/a.test.ts", 'test.only("a", () => {});'],
  },
  {
    says: "past a room's door: import @vivarium/<room>, which is its src/index.ts",
    files: roomSource,
    find: (content, path) => {
      const depth = path.split("/").length - 4;
      const climbs = new RegExp(
        `(from|import\\(?) ?["']((\\.\\./){${depth + 1},}(?!testdata)|@vivarium/\\w+/|vivarium/)`,
      );
      return lines(climbs)(content);
    },
    refuses: ["packages/tree/src/auth/a.ts", 'import { a } from "../../../server/src/a.ts";'],
  },
  {
    says: "an import for its side effect, which the compiler does not check",
    files: roomSource,
    find: lines(/^import ["']/),
    refuses: ["packages/tree/src/a.ts", 'import "@vivarium/server";'],
  },
  {
    says: "a file that is named here and does not exist",
    files: (path) => /^[^/]*\.md$|^docs\/.*\.md$/.test(path),
    find: missingFiles,
    refuses: ["README.md", "[a](docs/no-such-page.md)"],
  },
  {
    says: "syntax that Node 20 cannot run",
    files: code,
    find: lines(
      /^\s*(await )?using \w+ =|\bPromise\.withResolvers\b|\bArray\.fromAsync\b|\bimport\.meta\.(dirname|filename)\b/,
    ),
    refuses: ["packages/tree/src/a.ts", "  using file = open();"],
  },
];

/** Rules that do not refuse what they say they refuse. */
function brokenRules() {
  return rules
    .filter(({ files, find, refuses: [path, content] }) => !files(path) || find(content, path).length === 0)
    .map(({ says }) => `scripts/tidy.mjs: this rule does not refuse its own example: ${says}`);
}

/** Every file of the checkout that git knows or would add. */
function checkoutFiles() {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  return list
    .toString()
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)));
}

/** @returns {string[]} what breaks a rule: file, place and what is wrong */
export function tidyProblems() {
  const problems = brokenRules();
  for (const path of checkoutFiles()) {
    const wanted = rules.filter((rule) => rule.files(path));
    if (wanted.length === 0) continue;
    const content = readFileSync(join(root, path), "utf8");
    if (content.includes("\0")) continue;
    for (const { says, find } of wanted)
      for (const place of find(content, path)) problems.push(`${path}: ${place}\n    ${says}`);
  }
  const gone = Object.keys(longFiles).filter((path) => !existsSync(join(root, path)));
  return [...problems, ...gone.map((path) => `scripts/tidy.mjs: ${path} is listed as long and does not exist`)];
}
