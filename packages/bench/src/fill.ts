/** Fills a server with znodes over one connection, a thousand creates in flight; and tells when a server gives a session. */
import { FrameBuffer, Reader, Writer } from "@vivarium/jute";
import { ConnectRequest, CreateRequest, OPEN_ACL_UNSAFE, OpCode, ReplyHeader, RequestHeader } from "@vivarium/protocol";
import { type Connection, NodeNetwork } from "@vivarium/runtime";

const WINDOW = 1000;
const CHILDREN = 1000;
const ROOT = "/fill";
const SESSION_DEADLINE_MS = 100;
const network = new NodeNetwork();

const connectFrame = () => {
  const passwd = new Uint8Array(16);
  const writer = new Writer();
  writer.int(45);
  ConnectRequest.write(writer, { protocolVersion: 0, lastZxidSeen: 0, timeOut: 30_000, sessionId: 0n, passwd });
  writer.bool(false);
  return writer.copy();
};

/** Path of the n-th znode: a root, then folders of a thousand children, each folder before what is in it. */
function pathOf(n: number): string {
  if (n === 0) return ROOT;
  const folder = `${ROOT}/d${Math.floor((n - 1) / CHILDREN)}`;
  const index = (n - 1) % CHILDREN;
  return index === 0 ? folder : `${folder}/n${index}`;
}

/** Creates `count` znodes. @returns seconds taken @throws Error at the first error */
export function fill(port: number, { count, sizeBytes }: { count: number; sizeBytes: number }): Promise<number> {
  const data = new Uint8Array(sizeBytes).fill(120);
  const startMs = performance.now();
  let sent = 0;
  let answered = 0;
  return new Promise((resolve, reject) => {
    const { connection, onReply } = dial(port, reject);
    const send = () => {
      const writer = new Writer(1 << 16);
      for (; sent < count && sent - answered < WINDOW; sent++) {
        const start = writer.length;
        writer.int(0);
        RequestHeader.write(writer, { xid: sent + 1, type: OpCode.create });
        CreateRequest.write(writer, { path: pathOf(sent), data, acl: OPEN_ACL_UNSAFE, flags: 0 });
        writer.view.setInt32(start, writer.length - start - 4);
      }
      if (writer.length > 0) connection.write(writer.copy());
    };
    onReply((reader, last) => {
      if (reader !== null) {
        const { err } = ReplyHeader.read(reader);
        if (err !== 0) return connection.onClose(new Error(`create ${pathOf(answered)}: error ${err}`));
        answered++;
      }
      if (answered === count) {
        resolve((performance.now() - startMs) / 1000);
        connection.destroy();
      } else if (last && (sent - answered < WINDOW / 2 || reader === null)) send();
    });
  });
}

/**
 * Resolves when the server has given a session. Rejects if it refuses the connection, or says nothing for a while:
 * Apache's server may forget a connection that came before it was ready.
 */
export function oneSession(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const { connection, onReply } = dial(port, reject);
    const timer = setTimeout(() => connection.onClose(new Error("no session")), SESSION_DEADLINE_MS);
    onReply(() => {
      clearTimeout(timer);
      resolve();
      connection.destroy();
    });
  });
}

type OnReply = (reader: Reader | null, last: boolean) => void;

/** Connects; the callback gets null for the session, then each reply and whether it is the last of what has arrived. */
function dial(
  port: number,
  reject: (error: Error) => void,
): { connection: Connection; onReply: (callback: OnReply) => void } {
  const connection = network.connect({ host: "127.0.0.1", port });
  const frames = new FrameBuffer(1 << 20);
  let callback: OnReply = () => {};
  let established = false;
  connection.onConnect = () => connection.write(connectFrame());
  connection.onClose = (error) => {
    connection.destroy();
    reject(error ?? new Error("the server closed the connection"));
  };
  connection.onData = (chunk) => {
    frames.append(chunk);
    while (frames.next()) {
      const reader = established ? new Reader(frames.bytes, frames.start, frames.end) : null;
      established = true;
      callback(reader, frames.pending < 4);
    }
  };
  return { connection, onReply: (wanted) => (callback = wanted) };
}
