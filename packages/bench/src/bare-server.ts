/**
 * What Node.js can do at best: ZooKeeper's framing and nothing behind it. A read is answered with the same value whatever
 * was asked; a write is appended to a file, synced in groups, and answered. No tree, sessions, watches, ACLs or checks.
 *
 *   read:  chunk ─► frames ─► canned reply ─► one write to the socket per turn of the event loop
 *   write: chunk ─► frames ─► group ─► write and fdatasync, one group at a time ─► replies, one write per socket
 *
 * Input is lent and output gathered as in our server, for these are ways to use Node.js and not ZooKeeper's business.
 * Replies keep the order of the requests, because every client insists on it: what comes behind a write waits for it.
 */
import { FrameBuffer, Writer } from "@vivarium/jute";
import { OpCode, SpecialXid, STAT_BYTES } from "@vivarium/protocol";
import { type Connection, type Disk, type DiskFile, type Listener, type Network, OpenMode } from "@vivarium/runtime";

const MAX_FRAME_BYTES = 1 << 21;
const SESSION_TIMEOUT_MS = 30_000;
const PASSWORD_BYTES = 16;
/** Length, xid and op code of a request: no shorter frame is one. */
const LEAST_REQUEST_BYTES = 8;

export interface BareServerOptions {
  readonly network: Network;
  readonly disk: Disk;
  readonly file: string;
  readonly port: number;
  /** Size of the value that every read gets. */
  readonly valueBytes: number;
}

/** The reply of one kind of request, to be copied and given its xid. */
function canned(body: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  writer.int(0);
  writer.int(0);
  writer.number(1);
  writer.int(0);
  body(writer);
  writer.view.setInt32(0, writer.length - 4);
  return writer.copy();
}

const stat = (writer: Writer) => writer.raw(new Uint8Array(STAT_BYTES));
const value = (size: number) => (writer: Writer) => {
  writer.buffer(new Uint8Array(size).fill(120));
  stat(writer);
};
const nothing = () => {};
const WRITES: ReadonlySet<number> = new Set([OpCode.create, OpCode.setData, OpCode.delete]);

export class BareServer {
  readonly #replies: Map<number, Uint8Array>;
  readonly #other = canned(nothing);
  readonly #log: Log;
  readonly #listener: Listener;

  static async start({ network, disk, file, port, valueBytes }: BareServerOptions): Promise<BareServer> {
    const log = new Log(await disk.open(file, OpenMode.create));
    let server: BareServer | undefined;
    const at = { host: "127.0.0.1", port, lendsInput: true };
    const listener = await network.listen(at, (connection) => server?.accept(connection));
    server = new BareServer(log, listener, valueBytes);
    return server;
  }

  private constructor(log: Log, listener: Listener, valueBytes: number) {
    this.#log = log;
    this.#listener = listener;
    this.#replies = new Map([
      [OpCode.getData, canned(value(valueBytes))],
      [OpCode.setData, canned(stat)],
      [OpCode.create, canned((writer) => writer.ustring("/bare"))],
    ]);
  }

  get port(): number {
    return this.#listener.port;
  }

  accept(connection: Connection): void {
    new Client(connection, this.#log, (type) => this.#replies.get(type) ?? this.#other);
  }

  async stop(): Promise<void> {
    await this.#listener.close();
    await this.#log.close();
  }
}

/** Clients with replies that leave at the end of this turn of the event loop. */
const gathered: Client[] = [];

function flushGathered(): void {
  for (const client of gathered.splice(0)) client.flush();
}

class Client {
  readonly #connection: Connection;
  readonly #log: Log;
  readonly #replyTo: (type: number) => Uint8Array;
  readonly #frames = new FrameBuffer(MAX_FRAME_BYTES);
  #out = new Writer(1 << 12);
  #isGreeted = false;
  #isGathered = false;
  /** Requests in the log's groups. */
  waiting = 0;

  constructor(connection: Connection, log: Log, replyTo: (type: number) => Uint8Array) {
    this.#connection = connection;
    this.#log = log;
    this.#replyTo = replyTo;
    connection.onData = (chunk) => this.#receive(chunk);
    connection.onEnd = () => connection.end();
  }

  #receive(chunk: Uint8Array): void {
    const frames = this.#frames;
    frames.append(chunk);
    while (frames.next()) {
      if (!this.#isGreeted) this.#greet();
      else if (frames.end - frames.start >= LEAST_REQUEST_BYTES) this.#request(frames.bytes, frames.start, frames.end);
    }
    frames.keep();
    if (this.#isGathered || this.#out.length === 0) return;
    this.#isGathered = true;
    if (gathered.push(this) === 1) setImmediate(flushGathered);
  }

  #greet(): void {
    this.#isGreeted = true;
    const out = this.#out;
    out.int(4 + 4 + 8 + 4 + PASSWORD_BYTES + 1);
    out.int(0);
    out.int(SESSION_TIMEOUT_MS);
    out.long(1n);
    out.buffer(new Uint8Array(PASSWORD_BYTES));
    out.bool(false);
  }

  #request(bytes: Uint8Array, start: number, end: number): void {
    const xid = intAt(bytes, start);
    const type = intAt(bytes, start + 4);
    if (WRITES.has(type)) this.#log.append(this, xid, type, bytes.subarray(start - 4, end));
    else if (this.waiting > 0 && xid !== SpecialXid.ping) this.#log.follow(this, xid, type);
    else this.answer(xid, type);
    if (type === OpCode.closeSession) {
      this.flush();
      this.#connection.end();
    }
  }

  answer(xid: number, type: number): void {
    const out = this.#out;
    const start = out.length;
    out.raw(this.#replyTo(type));
    out.view.setInt32(start + 4, xid);
  }

  flush(): void {
    this.#isGathered = false;
    if (this.#out.length === 0) return;
    this.#connection.write(this.#out.written());
    if (this.#connection.bufferedBytes === 0) this.#out.reset();
    else this.#out = new Writer(1 << 12);
  }
}

function intAt(b: Uint8Array, i: number): number {
  return ((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number);
}

/** The file grows in large steps, because a size that changes has to be synced too. */
const STEP_BYTES = 64 << 20;

/** Records of one sync, and who waits for it. */
class Group {
  readonly records = new Writer(1 << 20);
  readonly clients: Client[] = [];
  readonly xids: number[] = [];
  readonly types: number[] = [];

  answer(): void {
    const { clients, xids, types } = this;
    for (let at = 0; at < clients.length; at++) {
      const client = clients[at] as Client;
      client.waiting--;
      client.answer(xids[at] as number, types[at] as number);
    }
    for (const client of new Set(clients)) client.flush();
    this.records.reset();
    clients.length = xids.length = types.length = 0;
  }
}

/** Group commit: while one group is being written and synced, everything that arrives is the next. */
class Log {
  readonly #file: DiskFile;
  #group = new Group();
  #spare = new Group();
  #length = 0;
  #size = 0;
  #syncing: Promise<void> | null = null;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  append(client: Client, xid: number, type: number, record: Uint8Array): void {
    this.#group.records.raw(record);
    this.follow(client, xid, type);
  }

  /** A request that is no write, but must be answered after one. */
  follow(client: Client, xid: number, type: number): void {
    client.waiting++;
    this.#group.clients.push(client);
    this.#group.xids.push(xid);
    this.#group.types.push(type);
    this.#syncing ??= this.#syncAll();
  }

  async #syncAll(): Promise<void> {
    // The rest of this turn's requests belong to the first group too.
    await new Promise(setImmediate);
    while (this.#group.clients.length > 0) {
      const group = this.#group;
      this.#group = this.#spare;
      this.#spare = group;
      const { length } = group.records;
      await this.#makeRoom(this.#length + length);
      if (length > 0) await this.#file.writeDurably(group.records.written(), this.#length);
      this.#length += length;
      group.answer();
    }
    this.#syncing = null;
  }

  async #makeRoom(needed: number): Promise<void> {
    if (needed <= this.#size) return;
    this.#size = needed + STEP_BYTES;
    await this.#file.truncate(this.#size);
  }

  async close(): Promise<void> {
    await this.#syncing;
    await this.#file.close();
  }
}
