/**
 * What a test gets, whatever runs it: a server, a client, and a check at the end that nothing was left behind. The
 * fixtures for node:test and vitest are thin layers above this.
 */
import type { ZooKeeper } from "@vivarium/client";
import type { TestServerOptions } from "./server-config.ts";
import { TestServer } from "./test-server.ts";

export interface ServerTestOptions extends TestServerOptions {
  /**
   * True: one server for all tests of the file, each test below a random chroot of its own. Default false: a server for
   * each test, which takes a few milliseconds, and lets every test order faults and move time.
   */
  shared?: boolean;
  /** False: what a test leaves behind does not make it fail. Default true. */
  checkLeaks?: boolean;
}

/** What a test gets. */
export interface ServerFixtures {
  server: TestServer;
  /** Connected below `chroot`, and closed after the test. */
  client: ZooKeeper;
  /** "/" on a server of the test's own, otherwise a random node of the shared one. */
  chroot: string;
  /** For the code under test: leads below `chroot`. */
  connectString: string;
}

export function startFor({ shared: _, checkLeaks: __, ...options }: ServerTestOptions): Promise<TestServer> {
  return TestServer.start(options);
}

export async function chrootFor(server: TestServer, { shared = false }: ServerTestOptions): Promise<string> {
  return shared ? server.chroot() : "/";
}

export function connectStringOf(server: TestServer, chroot: string): string {
  return chroot === "/" ? server.connectString : server.connectString + chroot;
}

/** The end of one test. @throws Error that names what the test has left behind */
export async function settle(server: TestServer, options: ServerTestOptions): Promise<void> {
  if (options.shared === true && !server.isUp) await server.restart();
  await server.reset();
  if (server.isUp && options.checkLeaks !== false) await server.assertNoLeaks();
}
