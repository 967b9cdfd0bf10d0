// The foreign clients: how each is fetched and built, and how its program is run. A program gets three arguments,
// `host:port` (through the proxy), the proxy's control port and the server's own `host:port`, prints `ok <check>` or
// `FAIL <check> <why>` per check and `passed N of M` at the end.

import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { javaArgs, javaClasspath } from "./lib/apache.mjs";
import { aptInstall, must, needFiles, needPrograms, run } from "./lib/command.mjs";
import { cached, interopDir, repoDir } from "./lib/paths.mjs";

/**
 * @typedef {object} Target
 * @property {string} address
 * @property {string} controlPort
 * @property {string} direct
 *
 * @typedef {object} Client
 * @property {string} name what `--only` calls it
 * @property {string} title
 * @property {() => Promise<void>} prepare fetches and builds; quick when there is nothing to do
 * @property {(target: Target) => Promise<{file: string, args: string[], env?: NodeJS.ProcessEnv}>} command
 */

const words = ({ address, controlPort, direct }) => [address, controlPort, direct];

const isOlder = (made, sources) =>
  !existsSync(made) || sources.some((source) => statSync(source).mtimeMs > statSync(made).mtimeMs);

/** Reads a file if it is there. */
const contents = (file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

const javaClasses = () => cached("java", "classes");
let compiled;

/** Compiles the Java programs once per run, if they changed. */
function compileJava() {
  compiled ??= (async () => {
    const path = await javaClasspath();
    const from = join(interopDir, "java", "src");
    const sources = readdirSync(from).map((name) => join(from, name));
    const stamp = join(cached("java"), "compiled");
    if (!isOlder(stamp, sources)) return;
    await must("javac", ["-cp", path, "-d", javaClasses(), ...sources]);
    writeFileSync(stamp, "");
  })();
  return compiled;
}

const javaProgram = (name, title, mainClass) => ({
  name,
  title,
  prepare: compileJava,
  command: async (target) => ({
    file: "java",
    args: await javaArgs(mainClass, words(target), {
      logLevel: "off",
      extraClasspath: [javaClasses()],
      properties: { direct: target.direct },
    }),
  }),
});

const kazoo = {
  name: "kazoo",
  title: "kazoo (Python)",
  async prepare() {
    await needPrograms(["python3"], ["python3", "python3-venv"]);
    const { code } = await run("python3", ["-c", "import ensurepip, venv"]);
    if (code !== 0) await aptInstall(["python3-venv"]);
    const venv = cached("kazoo");
    const requirements = join(interopDir, "kazoo", "requirements.txt");
    const stamp = join(venv, "requirements.installed");
    if (contents(stamp) === contents(requirements)) return;
    console.log("interop: fetching kazoo with pip");
    await must("python3", ["-m", "venv", venv]);
    await must(join(venv, "bin", "python"), ["-m", "pip", "install", "-q", "-r", requirements]);
    writeFileSync(stamp, readFileSync(requirements));
  },
  command: async (target) => ({
    file: join(cached("kazoo"), "bin", "python"),
    args: [join(interopDir, "kazoo", "client.py"), ...words(target)],
  }),
};

const goZookeeper = {
  name: "go",
  title: "go-zookeeper",
  async prepare() {
    await needPrograms(["go"], ["golang-go"]);
    const program = join(cached("go"), "client");
    const source = join(interopDir, "go");
    if (
      !isOlder(
        program,
        ["main.go", "go.mod", "go.sum"].map((name) => join(source, name)),
      )
    )
      return;
    console.log("interop: fetching and building go-zookeeper");
    await must("go", ["build", "-o", program, "."], { cwd: source });
  },
  command: async (target) => ({ file: join(cached("go"), "client"), args: words(target) }),
};

const cClient = {
  name: "c",
  title: "C client (libzookeeper_mt)",
  async prepare() {
    await needPrograms(["gcc"], ["gcc", "libc6-dev"]);
    await needFiles(["/usr/include/zookeeper/zookeeper.h"], ["libzookeeper-mt-dev"]);
    const program = join(cached("c"), "client");
    const source = join(interopDir, "c", "client.c");
    if (!isOlder(program, [source])) return;
    await must("gcc", ["-O1", "-Wall", "-DTHREADED", "-o", program, source, "-lzookeeper_mt", "-lpthread"]);
  },
  command: async (target) => ({ file: join(cached("c"), "client"), args: words(target) }),
};

const nodeProgram = (file) => async (target) => ({
  file: process.execPath,
  args: [join(interopDir, ...file.split("/")), ...words(target)],
});

let npmInstalled;

/** Installs the npm clients into the cache, away from the workspaces. */
function installNpm() {
  npmInstalled ??= (async () => {
    const home = cached("npm");
    const wanted = join(interopDir, "npm", "package.json");
    const stamp = join(home, "package.installed");
    if (contents(stamp) === contents(wanted)) return;
    await needPrograms(["gcc", "g++", "make", "cmake", "python3"], ["build-essential", "cmake", "python3"]);
    console.log("interop: fetching and building the npm clients");
    cpSync(wanted, join(home, "package.json"));
    await must("npm", ["install", "--no-audit", "--no-fund"], { cwd: home });
    writeFileSync(stamp, readFileSync(wanted));
  })();
  return npmInstalled;
}

/** @type {Client[]} */
export const clients = [
  javaProgram("java", "Java client 3.9.5", "JavaClient"),
  javaProgram("curator", "Curator 5.9 recipes", "CuratorRecipes"),
  {
    name: "zkcli",
    title: "zkCli (ZooKeeperMain)",
    prepare: async () => void (await javaClasspath()),
    command: nodeProgram("zkcli/zkcli.mjs"),
  },
  kazoo,
  cClient,
  {
    name: "cli_mt",
    title: "C shell (zookeeper-bin)",
    prepare: () => needFiles(["/usr/lib/zookeeper/bin/cli_mt"], ["zookeeper-bin"]),
    command: nodeProgram("c/cli-mt.mjs"),
  },
  goZookeeper,
  {
    name: "node-zookeeper-client",
    title: "node-zookeeper-client (npm)",
    prepare: installNpm,
    command: nodeProgram("npm/node-zookeeper-client.mjs"),
  },
  {
    name: "zookeeper",
    title: "zookeeper (npm, native)",
    prepare: installNpm,
    command: nodeProgram("npm/zookeeper.mjs"),
  },
  {
    name: "vivarium-client",
    title: "@vivarium/client (its contract)",
    prepare: () =>
      must("npx", ["tsc", "-b", join(repoDir, "packages", "client", "tsconfig.test.json")], { cwd: repoDir }),
    command: async ({ direct }) => ({
      file: process.execPath,
      args: [join(repoDir, "packages", "client", "dist", "testing", "contract-main.js"), direct],
    }),
  },
];
