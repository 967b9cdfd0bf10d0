/**
 * For node:test: a `test` whose function gets a server and a client.
 *
 * @example
 * const test = serverTest();
 * test("a lock is freed when its holder dies", async ({ server, client }) => { ... });
 */
import { after, test as nodeTest, type TestContext } from "node:test";
import {
  chrootFor,
  connectStringOf,
  type ServerFixtures,
  type ServerTestOptions,
  settle,
  startFor,
} from "./fixtures.ts";
import type { TestServer } from "./test-server.ts";

export type { ServerFixtures, ServerTestOptions } from "./fixtures.ts";

/** Options of node:test's own `test`; see there. */
export interface TestOptions {
  concurrency?: number | boolean;
  only?: boolean;
  signal?: AbortSignal;
  skip?: boolean | string;
  /** Milliseconds after which the test fails. */
  timeout?: number;
  todo?: boolean | string;
}

export type ServerTestFunction = (fixtures: ServerFixtures, context: TestContext) => void | Promise<void>;

/** As `test` of node:test: a name, perhaps options, a function. */
export interface ServerTest {
  (name: string, run: ServerTestFunction): Promise<void>;
  (name: string, options: TestOptions, run: ServerTestFunction): Promise<void>;
}

/** A `test` that gives each of its tests a server of its own, or with `shared` a chroot of its own on one server. */
export function serverTest(options: ServerTestOptions = {}): ServerTest {
  const servers = options.shared === true ? oneForAll(options) : oneForEach(options);
  return (name: string, ...rest: [ServerTestFunction] | [TestOptions, ServerTestFunction]) => {
    const [testOptions, run] = rest.length === 2 ? rest : [{}, rest[0]];
    return nodeTest(name, testOptions, async (context) => {
      const server = await servers.take();
      try {
        await runOn(server, options, (fixtures) => run(fixtures, context));
      } finally {
        await servers.giveBack(server);
      }
    });
  };
}

interface Servers {
  take(): Promise<TestServer>;
  giveBack(server: TestServer): Promise<void>;
}

function oneForEach(options: ServerTestOptions): Servers {
  return { take: () => startFor(options), giveBack: (server) => server.stop() };
}

function oneForAll(options: ServerTestOptions): Servers {
  let starting: Promise<TestServer> | undefined;
  after(async () => (await starting)?.stop());
  return {
    take: () => {
      starting ??= startFor(options);
      return starting;
    },
    giveBack: async () => {},
  };
}

/** A failure of the test itself is told rather than what it then left behind. */
async function runOn(
  server: TestServer,
  options: ServerTestOptions,
  run: (fixtures: ServerFixtures) => void | Promise<void>,
): Promise<void> {
  try {
    const chroot = await chrootFor(server, options);
    const client = await server.connect({ chroot });
    await run({ server, client, chroot, connectString: connectStringOf(server, chroot) });
  } catch (error) {
    await settle(server, { ...options, checkLeaks: false });
    throw error;
  }
  await settle(server, options);
}
