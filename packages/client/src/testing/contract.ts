/**
 * What the client promises against a real server, whoever wrote it: run by `npm run interop` against Apache ZooKeeper
 * and against Vivarium, and by the testkit's own tests. Each case gets a chroot of its own.
 */
import { randomUUID } from "node:crypto";
import { type ClientOptions, connect, type ZooKeeper } from "../index.ts";
import { CuttingProxy } from "./cutting-proxy.ts";

export interface ContractContext {
  /** "host:port" of the server, without chroot. */
  server: string;
  /** The server with the case's own chroot. */
  connectString: string;
  /** Connected below the case's own chroot; closed after the case. */
  zk: ZooKeeper;
  /** Another client of the same chroot; closed after the case. */
  connect(options?: ClientOptions): Promise<ZooKeeper>;
  /** A client that reaches the server only through a proxy. */
  connectThrough(options?: ClientOptions): Promise<{ zk: ZooKeeper; proxy: CuttingProxy }>;
}

export interface ContractCase {
  name: string;
  run(context: ContractContext): Promise<void>;
}

/** Runs one case; rejects when it fails. */
export async function runCase(each: ContractCase, server: string): Promise<void> {
  const root = await connect(server, { connectTimeoutMs: 5000 });
  const chroot = `/contract-${randomUUID()}`;
  await root.create(chroot);
  const clients: ZooKeeper[] = [];
  const proxies: CuttingProxy[] = [];
  const open = async (hosts: string, options: ClientOptions = {}): Promise<ZooKeeper> => {
    const zk = await connect(hosts + chroot, { sessionTimeoutMs: 6000, ...options });
    clients.push(zk);
    return zk;
  };
  try {
    await each.run({
      server,
      connectString: server + chroot,
      zk: await open(server),
      connect: (options) => open(server, options),
      connectThrough: async (options) => {
        const proxy = await CuttingProxy.start(server);
        proxies.push(proxy);
        return { proxy, zk: await open(proxy.connectString, options) };
      },
    });
  } finally {
    await Promise.all(clients.map((zk) => zk.close()));
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await root.deleteSubtree(chroot);
    await root.close();
  }
}

/** Resolves with the first session event of that type from now on. */
export function sessionEvent(zk: ZooKeeper, type: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = zk.onSessionEvent((event) => {
      if (event.type !== type) return;
      stop();
      resolve();
    });
  });
}
