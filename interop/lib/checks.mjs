// For client programs written in JavaScript: one line per check, and orders to the proxy.

import { connect } from "node:net";
import { sleep } from "./net.mjs";

export class Checks {
  #controlPort;
  #passed = 0;
  #total = 0;

  constructor(controlPort) {
    this.#controlPort = controlPort;
  }

  async check(name, action, { timeoutMs = 30_000 } = {}) {
    this.#total++;
    const late = sleep(timeoutMs).then(() => {
      throw new Error(`not done in ${timeoutMs} ms`);
    });
    try {
      await Promise.race([action(), late]);
      this.#passed++;
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAIL ${name} ${String(error?.message ?? error).replaceAll("\n", " ")}`);
    }
    late.catch(() => {});
  }

  /** Prints the summary and ends the program. */
  summary() {
    console.log(`passed ${this.#passed} of ${this.#total}`);
    process.exit(this.#passed === this.#total ? 0 : 1);
  }

  /** Sends `cut`, `down` or `up` to the proxy. */
  proxy(command) {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#controlPort, "127.0.0.1");
      socket.on("error", reject);
      socket.on("data", () => {
        socket.destroy();
        resolve();
      });
      socket.write(`${command}\n`);
    });
  }
}

export function same(expected, actual) {
  const [want, have] = [JSON.stringify(expected), JSON.stringify(actual)];
  if (want !== have) throw new Error(`expected ${want}, got ${have}`);
}

/** Things that arrive, to be awaited one after the other. */
export class Inbox {
  #items = [];
  #waiters = [];

  put = (item) => {
    const waiter = this.#waiters.shift();
    if (waiter) waiter(item);
    else this.#items.push(item);
  };

  clear() {
    this.#items = [];
  }

  next(timeoutMs = 10_000) {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing arrived in ${timeoutMs} ms`)), timeoutMs);
      this.#waiters.push((item) => {
        clearTimeout(timer);
        resolve(item);
      });
    });
  }
}
