// Drives an interactive command line: types a command, waits for what it has to print.

import { spawn } from "node:child_process";
import { until } from "./net.mjs";

export class Shell {
  #child;
  #text = "";

  constructor(file, args) {
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.#text += text;
      });
    }
    this.#child.stdin.on("error", () => {});
    this.exited = new Promise((resolve) => this.#child.on("close", resolve));
  }

  /** Types a command and waits until its output matches; the output is forgotten before each command. */
  async type(command, expected, { timeoutMs = 10_000 } = {}) {
    this.#text = "";
    this.#child.stdin.write(`${command}\n`);
    await this.printed(expected, { timeoutMs, what: command });
  }

  async printed(expected, { timeoutMs = 10_000, what = "the output" } = {}) {
    try {
      await until(what, () => expected.test(this.#text), { timeoutMs, everyMs: 10 });
    } catch {
      throw new Error(`${what}: no ${expected} in ${JSON.stringify(this.#text.slice(-600))}`);
    }
  }

  forget() {
    this.#text = "";
  }

  kill() {
    this.#child.kill("SIGKILL");
  }
}
