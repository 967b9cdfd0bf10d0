import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@vivarium/client";
import { startLiveServer } from "./testing/live-server.ts";

/** With its header and Stat, the reply to a read of this is over a MiB, above which the server stops reading a client. */
const SIZE_BYTES = 1_048_540;
const DEADLINE_MS = 10_000;

test("a large reply that the operating system takes at once does not silence its connection", async () => {
  const server = await startLiveServer();
  const client = await connect(`127.0.0.1:${server.address.port}`);
  try {
    await client.create("/a");
    await client.setData("/a", new Uint8Array(SIZE_BYTES));
    for (let round = 0; round < 5; round++) {
      const { data } = await client.getData("/a", { signal: AbortSignal.timeout(DEADLINE_MS) });
      assert.equal(data?.length, SIZE_BYTES);
    }
  } finally {
    await client.close();
    await server.stop();
  }
});
