/**
 * One write at a time over one session, on whatever server of the ensemble gives service: how long nobody could write
 * is the longest time between two of its answers. What was acknowledged is never seen undone.
 */
import { CreateRequest, ErrorCode, OPEN_ACL_UNSAFE, OpCode, SetDataRequest, StatResponse } from "@vivarium/protocol";
import { BrokenPromise } from "../crash/reconcile.ts";
import { ConnectionLost, RawClient, type Session } from "../raw-client.ts";

const PATH = "/pulse";
const SESSION_TIMEOUT_MS = 40_000;
const RETRY_MS = 2;
const BETWEEN_WRITES_MS = 1;
const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export class Pulse {
  readonly #ports: () => readonly number[];
  #session: Session | null = null;
  #stopped = false;
  #version = 0;
  #turn = 0;
  #next: ((atMs: number) => void)[] = [];
  lastMs = 0;

  /** @param ports of the servers that run, asked at each connection */
  constructor(ports: () => readonly number[]) {
    this.#ports = ports;
  }

  /** Writes until stopped. @throws BrokenPromise */
  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#beat();
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        await delay(RETRY_MS);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves with the time of the next answer. */
  next(): Promise<number> {
    return new Promise((resolve) => this.#next.push(resolve));
  }

  async #beat(): Promise<void> {
    const ports = this.#ports();
    const port = ports[this.#turn++ % ports.length] as number;
    const session = this.#session === null ? {} : { session: this.#session };
    const client = await RawClient.connect({ port, sessionTimeoutMs: SESSION_TIMEOUT_MS, ...session });
    try {
      if (this.#session === null) await this.#create(client);
      this.#session = client.session;
      while (!this.#stopped) {
        await this.#write(client);
        await delay(BETWEEN_WRITES_MS);
      }
    } finally {
      client.destroy();
    }
  }

  async #create(client: RawClient): Promise<void> {
    const body = { path: PATH, data: new Uint8Array(0), acl: OPEN_ACL_UNSAFE, flags: 0 };
    const { err } = await client.request(OpCode.create, CreateRequest, body);
    if (err !== ErrorCode.OK && err !== ErrorCode.NODEEXISTS) throw new BrokenPromise(`creating ${PATH}: error ${err}`);
  }

  async #write(client: RawClient): Promise<void> {
    const body = { path: PATH, data: new Uint8Array(8), version: -1 };
    const reply = await client.request(OpCode.setData, SetDataRequest, body);
    if (reply.err !== ErrorCode.OK) throw new BrokenPromise(`setting ${PATH}: error ${reply.err}`);
    const { version } = reply.read(StatResponse).stat;
    if (version <= this.#version) throw new BrokenPromise(`${PATH} has version ${version} after ${this.#version}`);
    this.#version = version;
    this.lastMs = performance.now();
    for (const resolve of this.#next.splice(0)) resolve(this.lastMs);
  }
}
