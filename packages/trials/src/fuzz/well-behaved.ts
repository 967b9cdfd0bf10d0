/** A client that does everything right beside the malformed ones, and must never notice them. */
import { record } from "@vivarium/jute";
import {
  CreateRequest,
  DeleteRequest,
  ErrorCode,
  GetDataResponse,
  OPEN_ACL_UNSAFE,
  OpCode,
  SetDataRequest,
  WatchedPathRequest,
} from "@vivarium/protocol";
import { RawClient, type Reply } from "../raw-client.ts";

const PATH = "/good";

export class WellBehavedClient {
  readonly #client: RawClient;
  #stopped = false;
  /** Requests answered as they should be. */
  answered = 0;
  longestMs = 0;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async connect(port: number): Promise<WellBehavedClient> {
    return new WellBehavedClient(await RawClient.connect({ port }));
  }

  /** Creates, reads with a watch, sets, and deletes until stopped. @throws Error at the first wrong answer */
  async work(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const data = new Uint8Array(Buffer.from(`turn ${turn}`));
      const events = this.#client.events;
      await this.#ask(
        this.#client.request(OpCode.create, CreateRequest, { path: PATH, data, acl: OPEN_ACL_UNSAFE, flags: 0 }),
      );
      const reply = await this.#ask(
        this.#client.request(OpCode.getData, WatchedPathRequest, { path: PATH, watch: true }),
      );
      if (Buffer.compare(reply.read(GetDataResponse).data ?? data.subarray(1), data) !== 0)
        throw new Error("other data came back");
      await this.#ask(this.#client.request(OpCode.setData, SetDataRequest, { path: PATH, data, version: 0 }));
      if (this.#client.events !== events + 1) throw new Error("the watch event did not come before the reply");
      await this.#ask(this.#client.request(OpCode.delete, DeleteRequest, { path: PATH, version: 1 }));
    }
    await this.#ask(this.#client.request(OpCode.closeSession, record({}), {}));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #ask(asked: Promise<Reply>): Promise<Reply> {
    const startMs = performance.now();
    const reply = await asked;
    if (reply.err !== ErrorCode.OK) throw new Error(`the well-behaved client got error ${reply.err}`);
    this.longestMs = Math.max(this.longestMs, performance.now() - startMs);
    this.answered++;
    return reply;
  }
}
