// `npm start`: installs, builds, and runs a standalone server on 127.0.0.1:2181 with its data under ./data.
// Words after `npm start --` go to `vivarium server`.
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root, setup } from "./setup.mjs";

setup();

const command = join(root, "packages", "vivarium", "bin", "vivarium.js");
const server = spawn(process.execPath, [command, "server", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 0)));
