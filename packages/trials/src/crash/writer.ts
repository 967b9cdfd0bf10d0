/**
 * One writer: keeps a window of operations in flight, holds every acknowledgement against its model, and after a crash
 * finds the one prefix of its operations that the tree shows.
 *
 *   #predicted  the state after all that was sent: what the next operations are drawn for
 *   #kept       the state after all that was acknowledged; #inDoubt holds what was sent since, in order
 */
import { CreateRequest, ErrorCode, OPEN_ACL_UNSAFE, OpCode, PathRequest } from "@vivarium/protocol";
import type { SeededRandom } from "@vivarium/runtime";
import { ConnectionLost, RawClient, type Reply, type Session, SessionExpired } from "../raw-client.ts";
import { checkReply } from "./check-reply.ts";
import { Generator } from "./generator.ts";
import { Model } from "./model.ts";
import { type Observation, observe } from "./observation.ts";
import { type Operation, wireRequest } from "./operation.ts";
import { BrokenPromise, reconcile } from "./reconcile.ts";

const WINDOW = 16;
const SESSION_TIMEOUT_MS = 40_000;
const isClose = ({ action }: Operation) => action.kind === "closeSession";

export class Writer {
  readonly root: string;
  readonly #generator: Generator;
  #kept: Model;
  #predicted: Model;
  #inDoubt: Operation[] = [];
  #session: Session | null = null;
  #client: RawClient | null = null;
  #closing = false;
  #resting = false;
  #lost: () => void = () => {};
  /** The first promise that was seen broken. */
  #broken: Error | null = null;
  /** Writes acknowledged so far, refusals included. */
  acknowledged = 0;
  /** In doubt after a crash, and of these, carried out. */
  readonly doubts = { total: 0, carriedOut: 0 };
  highestZxid = 0;

  private constructor(root: string, random: SeededRandom, createdZxid: number) {
    this.root = root;
    this.#generator = new Generator(random);
    this.#kept = new Model(root, { zxid: createdZxid });
    this.#predicted = this.#kept.clone();
  }

  /** Makes the writer's part of the tree. */
  static async create(client: RawClient, root: string, random: SeededRandom): Promise<Writer> {
    const body = { path: root, data: new Uint8Array(0), acl: OPEN_ACL_UNSAFE, flags: 0 };
    const reply = await client.request(OpCode.create, CreateRequest, body);
    if (reply.err !== ErrorCode.OK) throw new BrokenPromise(`creating ${root} gives error ${reply.err}`);
    return new Writer(root, random, reply.zxid);
  }

  /** Takes up the session again, or a new one, and writes until the connection is lost. @throws BrokenPromise */
  async write(port: number): Promise<void> {
    try {
      await this.#connect(port);
      while (!this.#resting && !(await this.#untilLost())) {
        this.#session = null;
        await this.#connect(port);
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
    if (this.#broken !== null) throw this.#broken;
  }

  /** Asks for nothing more from now on; what was asked for is still answered. */
  rest(): void {
    this.#resting = true;
  }

  /** Everything asked for was answered. */
  get isIdle(): boolean {
    return this.#inDoubt.length === 0;
  }

  /**
   * After the connection to one server of an ensemble was lost: finds out at another what became of the operations in
   * doubt. The session moves there first, so that none that is still under way can be carried out after the look.
   * @throws BrokenPromise, or ConnectionLost if this server is of no use either
   */
  async recover(port: number): Promise<void> {
    this.disconnect();
    const client = await this.#moveTo(port);
    try {
      await client.request(OpCode.sync, PathRequest, { path: this.root });
      this.reconcile(await observe(client, this.root));
    } finally {
      client.destroy();
    }
  }

  async #moveTo(port: number): Promise<RawClient> {
    if (this.#session === null) return RawClient.connect({ port });
    try {
      return await RawClient.connect({ port, session: this.#session, sessionTimeoutMs: SESSION_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof SessionExpired)) throw error;
      if (!this.#inDoubt.some(isClose)) throw new BrokenPromise(`${this.root}: a living session cannot be resumed`);
      return RawClient.connect({ port });
    }
  }

  /** After the server was killed: nothing more will come. */
  disconnect(): void {
    this.#client?.destroy();
    this.#client = null;
    this.#lost();
  }

  /** Finds out which operations in doubt were carried out. @throws BrokenPromise */
  reconcile(observation: Observation): void {
    const carriedOut = reconcile(observation, this.#kept, this.#inDoubt);
    this.doubts.total += this.#inDoubt.length;
    this.doubts.carriedOut += carriedOut;
    if (this.#inDoubt.slice(0, carriedOut).some(isClose)) this.#session = null;
    this.#inDoubt = this.#inDoubt.slice(carriedOut).filter(isClose);
    this.#predicted = this.#kept.clone();
  }

  async #connect(port: number): Promise<void> {
    const session = this.#session;
    const options = { port, sessionTimeoutMs: SESSION_TIMEOUT_MS, ...(session === null ? {} : { session }) };
    try {
      this.#client = await RawClient.connect(options);
    } catch (error) {
      if (!(error instanceof SessionExpired)) throw error;
      // A close that was in doubt may have been carried out without a trace, if there was no ephemeral node.
      if (this.#inDoubt.length === 0) throw new BrokenPromise(`${this.root}: a living session cannot be resumed`);
      this.#session = null;
      this.#inDoubt = [];
      await this.#connect(port);
      return;
    }
    if (session !== null && this.#client.session.id !== session.id) {
      throw new BrokenPromise(`${this.root}: resumed session 0x${session.id.toString(16)}, got another one`);
    }
    this.#session = this.#client.session;
    this.#closing = false;
    this.#inDoubt = [];
  }

  /** Writes until the session was closed on purpose (false) or the connection was lost (true). */
  #untilLost(): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      this.#lost = () => resolve(true);
      this.#fill(() => resolve(false));
    });
  }

  #fill(closed: () => void): void {
    const { client, session } = this.#running();
    while (!this.#closing && !this.#resting && this.#inDoubt.length < WINDOW) {
      const action = this.#generator.action(this.#predicted);
      const operation: Operation = { action, stamp: { zxid: undefined }, sessionId: session.id };
      this.#closing = action.kind === "closeSession";
      this.#inDoubt.push(operation);
      this.#predicted.apply(operation);
      const { type, codec, body } = wireRequest(action);
      client.request(type, codec, body).then(
        (reply) => this.#acknowledged(operation, reply, closed),
        (error: Error) => this.#stop(error instanceof ConnectionLost ? null : error),
      );
    }
  }

  #running(): { client: RawClient; session: Session } {
    if (this.#client === null || this.#session === null) throw new Error("not connected");
    return { client: this.#client, session: this.#session };
  }

  #stop(broken: Error | null): void {
    this.#broken ??= broken;
    this.#lost();
  }

  #acknowledged(operation: Operation, reply: Reply, closed: () => void): void {
    try {
      if (this.#inDoubt.shift() !== operation) throw new BrokenPromise("replies out of order");
      if (reply.zxid <= this.highestZxid) {
        throw new BrokenPromise(`zxid 0x${reply.zxid.toString(16)} was given twice`);
      }
      this.highestZxid = reply.zxid;
      operation.stamp.zxid = reply.zxid;
      checkReply(operation, this.#kept.apply(operation), reply);
      this.acknowledged++;
    } catch (error) {
      this.#stop(error as Error);
      return;
    }
    if (operation.action.kind === "closeSession") closed();
    else this.#fill(closed);
  }
}
