// The memory of outputs is shared by all connections, but never before a socket is done with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "@vivarium/runtime";
import { ClientConnection, type ConnectionHost } from "./client-connection.ts";
import { ServerStats } from "./server-stats.ts";

const SIZE = 300_000;

function given() {
  const socket = {
    remoteAddress: "10.0.0.9",
    bufferedBytes: 0,
    written: [] as Uint8Array[],
    write(bytes: Uint8Array) {
      socket.written.push(bytes);
      return true;
    },
  };
  const host: ConnectionHost = {
    mayRead: () => true,
    needsFlush: () => {},
    closing: () => {},
    stats: new ServerStats(),
  };
  const connection = new ClientConnection({
    id: 1,
    socket: socket as unknown as Connection,
    host,
    maxFrameBytes: 1000,
    nowMs: 0,
    wallMs: 0,
  });
  const send = (content: number): Uint8Array => {
    connection.append(new Uint8Array(SIZE).fill(content));
    connection.flush();
    return socket.written.at(-1) as Uint8Array;
  };
  return { socket, connection, send };
}

test("output that a socket has taken is memory for the next, of whatever connection", () => {
  const [one, other] = [given(), given()];
  const first = one.send(1);
  assert.deepEqual(first, new Uint8Array(SIZE).fill(1));
  const second = other.send(2);
  assert.equal(second.buffer, first.buffer);
});

test("output that a socket has not taken stays as it is until it has", () => {
  const [slow, other] = [given(), given()];
  slow.socket.bufferedBytes = SIZE;
  const waiting = [slow.send(1), slow.send(2)];
  for (let content = 3; content < 9; content++) other.send(content);
  assert.deepEqual(
    waiting,
    [1, 2].map((content) => new Uint8Array(SIZE).fill(content)),
  );
  slow.socket.bufferedBytes = 0;
  slow.connection.taken();
  const next = other.send(9);
  assert.ok(waiting.some(({ buffer }) => buffer === next.buffer));
});
