/**
 * For vitest, and for other runners whose `test.extend` takes fixtures of the same shape.
 *
 * @example
 * import { test as base } from "vitest";
 * const test = base.extend<ServerFixtures>(serverFixtures());
 * test("a lock is freed when its holder dies", async ({ server, client }) => { ... });
 */
import type { ZooKeeper } from "@vivarium/client";
import { chrootFor, connectStringOf, type ServerTestOptions, settle, startFor } from "./fixtures.ts";
import type { TestServer } from "./test-server.ts";

export type { ServerFixtures, ServerTestOptions } from "./fixtures.ts";

type Use<T> = (value: T) => Promise<void>;
/** A function that sets up, hands over by calling `use`, and cleans up when that returns. */
type Fixture<Needs, T> = (needs: Needs, use: Use<T>) => Promise<void>;

/** For `base.extend<ServerFixtures>(...)`: each test that names one of these gets it. */
export interface VitestFixtures {
  server: [Fixture<object, TestServer>, { auto: false; scope: "test" | "file" }];
  chroot: Fixture<{ server: TestServer }, string>;
  client: Fixture<{ server: TestServer; chroot: string }, ZooKeeper>;
  connectString: Fixture<{ server: TestServer; chroot: string }, string>;
}

/** Fixtures that give each test a server of its own, or with `shared` a chroot of its own on one server per file. */
export function serverFixtures(options: ServerTestOptions = {}): VitestFixtures {
  // vitest reads from the source of these functions what each of them needs.
  return {
    server: [
      // biome-ignore lint/correctness/noEmptyPattern: so says a fixture that it needs nothing.
      async ({}, use) => {
        const server = await startFor(options);
        try {
          await use(server);
          if (options.shared !== true) await settle(server, options);
        } finally {
          await server.stop();
        }
      },
      // Vitest before 3.2 knows no scopes, and by `auto` that these are a fixture's options.
      { auto: false, scope: options.shared === true ? "file" : "test" },
    ],
    chroot: async ({ server }, use) => {
      await use(await chrootFor(server, options));
      if (options.shared === true) await settle(server, options);
    },
    client: async ({ server, chroot }, use) => {
      const client = await server.connect({ chroot });
      await use(client);
      await client.close();
    },
    connectString: async ({ server, chroot }, use) => use(connectStringOf(server, chroot)),
  };
}
