/** Leaks: found, named, and not seen where there are none. */
import assert from "node:assert/strict";
import { CreateMode, connect } from "@vivarium/client";
import { serverTest } from "./node-test.ts";

for (const time of ["real", "virtual"] as const) {
  const test = serverTest({ time, checkLeaks: false });

  test(`${time} time: nothing is left behind by those who clean up`, async ({ server, client }) => {
    const own = await connect(server.connectString, server.clientOptions);
    await own.create("/e", null, { mode: CreateMode.EPHEMERAL });
    const watch = await own.addWatch("/e");
    await own.getData("/e", { watch: () => {} });
    await client.exists("/");
    await watch.close();
    await own.close();
    await server.assertNoLeaks();
    assert.deepEqual(server.leaks(), { sessions: [], ephemerals: [], watches: [], sockets: [] });
  });

  test(`${time} time: everything that is left behind is named`, async ({ server }) => {
    const own = await connect(server.connectString, server.clientOptions);
    await own.create("/a");
    await own.create("/a/e", null, { mode: CreateMode.EPHEMERAL });
    await own.getData("/a", { watch: () => {} });
    await own.getChildren("/a", { watch: () => {} });
    await own.addWatch("/z", { listener: () => {} });
    const { sessions, ephemerals, watches, sockets } = server.leaks();
    assert.deepEqual([sessions, ephemerals, watches], [[own.session.id], ["/a/e"], ["/a", "/z"]]);
    assert.match(sockets.join(), /^127\.0\.0\.1:\d+$/);
    const id = own.session.id.toString(16);
    await assert.rejects(server.assertNoLeaks(), {
      message: `left behind on the test server: 1 session (0x${id}); 1 ephemeral node (/a/e); 2 watches (/a, /z); 1 socket (${sockets[0]})`,
    });
    await own.close();
    await server.assertNoLeaks();
  });

  test(`${time} time: of the kit's own clients, what they hold counts, but not that they are open`, async ({
    server,
    client,
  }) => {
    await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
    await client.exists("/x", { watch: () => {} });
    assert.deepEqual(server.leaks(), { sessions: [], ephemerals: ["/e"], watches: ["/x"], sockets: [] });
    await server.reset();
    await server.assertNoLeaks();
  });

  test(`${time} time: a dead client's session is a leak until it expires`, async ({ server }) => {
    const { clock, random } = server.clientOptions;
    const own = await connect(server.connectString, server.clientOptions);
    const { id } = own.session;
    server.dropNextRequest("close");
    await own.close();
    assert.deepEqual([clock, random], [server.clientOptions.clock, server.clientOptions.random]);
    assert.deepEqual(server.leaks().sessions, [id]);
    await server.expireSession(id);
    await server.assertNoLeaks();
  });
}
