/** A server that says what a test wants, on a network in memory. */
import { FrameBuffer, Writer } from "@vivarium/jute";
import { type Connection, MemoryNetwork, NodeClock } from "@vivarium/runtime";

const PORT = 2181;

/** A server that answers with what `answer` gives for each frame after the first, which gets a session. */
export async function startScripted(timeOut: number, answer: (xid: number, connection: Connection) => void) {
  const network = new MemoryNetwork({ clock: new NodeClock() });
  await network.host("server").listen({ host: "server", port: PORT }, (connection) => {
    const frames = new FrameBuffer(1 << 20);
    let isGreeted = false;
    connection.onData = (chunk) => {
      frames.append(chunk);
      while (frames.next()) {
        if (isGreeted)
          answer(new DataView(frames.bytes.buffer, frames.bytes.byteOffset).getInt32(frames.start), connection);
        else connection.write(greeting(timeOut));
        isGreeted = true;
      }
    };
  });
  return { network: network.host("client"), address: { host: "server", port: PORT } };
}

function greeting(timeOut: number): Uint8Array {
  const writer = new Writer();
  writer.int(37);
  writer.int(0);
  writer.int(timeOut);
  writer.long(0x1234n);
  writer.buffer(new Uint8Array(16).fill(7));
  writer.bool(false);
  return writer.copy();
}

export function reply(xid: number, err: number): Uint8Array {
  const writer = new Writer();
  writer.int(16);
  writer.int(xid);
  writer.number(1);
  writer.int(err);
  return writer.copy();
}
