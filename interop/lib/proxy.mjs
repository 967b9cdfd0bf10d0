// A TCP proxy between a foreign client and a server, with a control port the client's program commands, so that
// every language loses its connection in the same way. Commands, one per line, each answered with `ok`:
//   cut    close every connection now (new ones are accepted)
//   down   close every connection and refuse new ones
//   up     accept again

import { connect, createServer } from "node:net";

const listen = (server) =>
  new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server.address().port));
  });

/** @param {{port: number, onChunk?: (connection: number, fromClient: boolean, chunk: Buffer) => void}} options */
export async function startProxy({ port, onChunk = () => {} }) {
  const sockets = new Set();
  let isUp = true;
  let connections = 0;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const commands = {
    cut,
    down: () => {
      isUp = false;
      cut();
    },
    up: () => {
      isUp = true;
    },
  };

  const data = createServer((client) => {
    if (!isUp) {
      client.destroy();
      return;
    }
    const connection = connections++;
    const server = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("data", (chunk) => {
        onChunk(connection, from === client, chunk);
        to.write(chunk);
      });
      from.on("end", () => to.end());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });

  const control = createServer((socket) => {
    socket.setEncoding("utf8").on("error", () => {});
    socket.on("data", (text) => {
      for (const word of text.split("\n").filter(Boolean)) {
        commands[word.trim()]?.();
        socket.write("ok\n");
      }
    });
  });

  const dataPort = await listen(data);
  const controlPort = await listen(control);
  return {
    port: dataPort,
    controlPort,
    ...commands,
    stop() {
      cut();
      data.close();
      control.close();
    },
  };
}
