/** What the client's CuttingProxy is over sockets, over any network: it breaks, refuses and holds back on demand. */
import type { Connection, Listener, Network } from "@vivarium/runtime";
import type { ContractProxy } from "./client-contract.ts";

export class MemoryProxy implements ContractProxy {
  readonly connectString: string;
  readonly #listener: Listener;
  readonly #clients: Set<Connection>;
  accepts = true;
  mutesServer = false;

  private constructor(listener: Listener, clients: Set<Connection>) {
    this.#listener = listener;
    this.#clients = clients;
    this.connectString = `${listener.host}:${listener.port}`;
  }

  static async start(network: Network, upstream: { host: string; port: number }): Promise<MemoryProxy> {
    const clients = new Set<Connection>();
    let proxy: MemoryProxy | undefined;
    const listener = await network.listen({ host: upstream.host, port: 0 }, (client) => {
      if (proxy?.accepts === false) return client.destroy();
      const server = network.connect(upstream);
      clients.add(client);
      client.onData = (chunk) => server.write(chunk);
      server.onData = (chunk) => {
        if (proxy?.mutesServer !== true) client.write(chunk);
      };
      client.onClose = () => {
        clients.delete(client);
        server.destroy();
      };
      server.onClose = () => client.destroy();
    });
    proxy = new MemoryProxy(listener, clients);
    return proxy;
  }

  cut(): void {
    for (const client of [...this.#clients]) client.destroy();
  }

  async stop(): Promise<void> {
    await this.#listener.close();
    this.cut();
  }
}
