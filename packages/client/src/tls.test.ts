import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { FrameBuffer, Reader, Writer } from "@vivarium/jute";
import { ConnectionLossError, connect, ZooKeeper } from "./index.ts";

const pem = (name: string): string => fileURLToPath(new URL(`../src/testdata/${name}.pem`, import.meta.url));

/** Grants every session, echoes an empty OK for everything else, and wants to know who its clients are. */
async function startTlsServer(): Promise<{
  port: number;
  clients: string[];
  disconnect: () => void;
  stop: () => void;
}> {
  const clients: string[] = [];
  const sockets = new Set<tls.TLSSocket>();
  const server = tls.createServer(
    {
      key: readFileSync(pem("server-key")),
      cert: readFileSync(pem("server")),
      ca: readFileSync(pem("ca")),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      sockets.add(socket);
      clients.push(String(socket.getPeerCertificate().subject?.CN));
      const frames = new FrameBuffer(1 << 20);
      let greeted = false;
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        frames.append(chunk);
        while (frames.next()) {
          const reader = new Reader(frames.bytes, frames.start, frames.end);
          const writer = new Writer();
          if (greeted) {
            writer.int(16);
            writer.int(reader.int());
            writer.number(1);
            writer.int(0);
          } else {
            writer.int(37);
            writer.int(0);
            writer.int(6000);
            writer.long(1n);
            writer.buffer(new Uint8Array(16));
            writer.bool(false);
          }
          greeted = true;
          socket.write(writer.copy());
        }
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const disconnect = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stop = (): void => {
    disconnect();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, clients, disconnect, stop };
}

test("mutual TLS: both ends are proven", async () => {
  const server = await startTlsServer();
  try {
    const mutual = { caFile: pem("ca"), certFile: pem("client"), keyFile: pem("client-key") };
    const zk = await connect(`localhost:${server.port}`, { tls: mutual });
    await zk.sync();
    assert.deepEqual(server.clients, ["client"]);
    await zk.close();
    const untrusting = connect(`localhost:${server.port}`, { tls: {}, connectTimeoutMs: 300 });
    await assert.rejects(
      untrusting,
      (error) => error instanceof ConnectionLossError && /certificate/.test(error.message),
    );
  } finally {
    server.stop();
  }
});

test("renewed certificate files are used from the next attempt on", async () => {
  const server = await startTlsServer();
  const directory = mkdtempSync(join(tmpdir(), "vivarium-tls-"));
  try {
    const caFile = join(directory, "ca.pem");
    const files = { caFile, certFile: pem("client"), keyFile: pem("client-key") };
    const failures: string[] = [];
    const zk = new ZooKeeper(`localhost:${server.port}`, {
      tls: files,
      onSessionEvent: (event) => {
        if (event.type !== "connectFailed") return;
        failures.push(event.error.message);
        // First the file is missing, then it is there.
        copyFileSync(pem("ca"), caFile);
      },
    });
    await zk.connected();
    assert.match(failures[0] ?? "", /TLS files cannot be read/);
    // The next connection of the same client trusts only what the file holds by then.
    copyFileSync(pem("client"), caFile);
    const refused = new Promise<Error>((resolve) => {
      zk.onSessionEvent((event) => event.type === "connectFailed" && resolve(event.error));
    });
    server.disconnect();
    assert.match((await refused).message, /certificate/);
    await zk.sync();
    await zk.close();
  } finally {
    server.stop();
    rmSync(directory, { recursive: true });
  }
});
