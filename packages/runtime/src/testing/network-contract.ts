/** What every Network must do. `settle` resolves once the promise does, letting the network's time go by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, Network } from "../network.ts";

export interface NetworkUnderTest {
  network: Network;
  host: string;
  lendsInput?: boolean;
  settle<T>(promise: Promise<T>): Promise<T>;
}

/** What a connection told, as promises. */
function observe(connection: Connection) {
  const received: number[] = [];
  let wanted = 0;
  let gotAll: () => void = () => {};
  connection.onData = (chunk) => {
    for (const byte of chunk) received.push(byte);
    if (received.length >= wanted) gotAll();
  };
  const closed = new Promise<Error | null>((resolve) => {
    connection.onClose = resolve;
  });
  const receive = (count: number): Promise<number[]> =>
    new Promise((resolve) => {
      wanted = count;
      gotAll = () => resolve(received);
      if (received.length >= count) resolve(received);
    });
  return { connection, received, closed, receive };
}

async function pair({ network, host, lendsInput = false, settle }: NetworkUnderTest) {
  let accepted: (connection: Connection) => void = () => {};
  const far = new Promise<ReturnType<typeof observe>>((resolve) => {
    accepted = (connection) => resolve(observe(connection));
  });
  const listener = await settle(network.listen({ host, port: 0, lendsInput }, (connection) => accepted(connection)));
  const near = observe(network.connect({ host, port: listener.port, lendsInput }));
  const connected = new Promise<void>((resolve) => {
    near.connection.onConnect = resolve;
  });
  await settle(connected);
  return { listener, near, far: await settle(far) };
}

export function networkContract(name: string, make: () => NetworkUnderTest): void {
  test(`${name}: bytes arrive in order at both ends, and both know each other's address`, async () => {
    const under = make();
    const { listener, near, far } = await pair(under);
    assert.equal(near.connection.remotePort, listener.port);
    assert.equal(far.connection.remoteAddress, near.connection.localAddress);
    assert.equal(far.connection.remotePort, near.connection.localPort);
    near.connection.write(Uint8Array.of(1, 2));
    near.connection.write(Uint8Array.of(3));
    far.connection.write(Uint8Array.of(9));
    assert.deepEqual(await under.settle(far.receive(3)), [1, 2, 3]);
    assert.deepEqual(await under.settle(near.receive(1)), [9]);
    near.connection.end();
    assert.equal(await under.settle(near.closed), null);
    assert.equal(await under.settle(far.closed), null);
    await listener.close();
  });

  test(`${name}: what is written before end arrives; a half-closed connection still carries the answer`, async () => {
    const under = make();
    const { listener, near, far } = await pair(under);
    far.connection.onEnd = () => {
      far.connection.write(Uint8Array.of(7));
      far.connection.end();
    };
    near.connection.write(Uint8Array.of(5));
    near.connection.end();
    assert.deepEqual(await under.settle(far.receive(1)), [5]);
    assert.deepEqual(await under.settle(near.receive(1)), [7]);
    await under.settle(Promise.all([near.closed, far.closed]));
    assert.equal(near.connection.write(Uint8Array.of(1)), false);
    await listener.close();
  });

  test(`${name}: destroy closes both ends, each told once`, async () => {
    const under = make();
    const { listener, near, far } = await pair(under);
    let closes = 0;
    const { onClose } = near.connection;
    near.connection.onClose = (error) => {
      closes++;
      onClose(error);
    };
    near.connection.destroy();
    near.connection.destroy();
    await under.settle(Promise.all([near.closed, far.closed]));
    assert.equal(closes, 1);
    await listener.close();
  });

  test(`${name}: a paused end receives nothing, and the writer feels it`, async () => {
    const under = make();
    const { listener, near, far } = await pair(under);
    far.connection.pause();
    const chunk = new Uint8Array(1024 * 1024);
    let written = 0;
    while (near.connection.write(chunk)) written += chunk.length;
    written += chunk.length;
    assert.ok(near.connection.bufferedBytes > 0);
    const drained = new Promise<void>((resolve) => {
      near.connection.onDrain = resolve;
    });
    let arrived = 0;
    const all = new Promise<void>((resolve) => {
      far.connection.onData = (bytes) => {
        arrived += bytes.length;
        if (arrived === written) resolve();
      };
    });
    assert.equal(arrived, 0);
    far.connection.resume();
    await under.settle(Promise.all([drained, all]));
    assert.equal(near.connection.bufferedBytes, 0);
    near.connection.destroy();
    await under.settle(far.closed);
    await listener.close();
  });

  test(`${name}: a port that is taken and a port where nobody listens are errors with a code`, async () => {
    const under = make();
    const { network, host, settle } = under;
    const listener = await settle(network.listen({ host, port: 0 }, () => {}));
    const again = settle(network.listen({ host, port: listener.port }, () => {}));
    await assert.rejects(again, { code: "EADDRINUSE" });
    await listener.close();
    const refused = observe(network.connect({ host, port: listener.port }));
    const error = await settle(refused.closed);
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
  });
}
