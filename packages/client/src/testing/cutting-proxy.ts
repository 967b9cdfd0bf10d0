/** A TCP proxy in front of a real server that breaks, refuses and holds back on demand. */
import net from "node:net";

interface Pair {
  client: net.Socket;
  upstream: net.Socket;
}

export class CuttingProxy {
  readonly connectString: string;
  readonly #server: net.Server;
  readonly #pairs: Set<Pair>;
  /** False: connections are accepted and closed at once. */
  accepts = true;
  /** True: what the server says is lost. */
  mutesServer = false;

  private constructor(server: net.Server, pairs: Set<Pair>) {
    this.#server = server;
    this.#pairs = pairs;
    this.connectString = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  }

  /** @param server "host:port" */
  static async start(server: string): Promise<CuttingProxy> {
    const [host, port] = server.split(":") as [string, string];
    const pairs = new Set<Pair>();
    let proxy: CuttingProxy | undefined;
    const listener = net.createServer({ noDelay: true }, (client) => {
      client.on("error", () => undefined);
      if (proxy?.accepts === false) {
        client.destroy();
        return;
      }
      const upstream = net.connect({ host, port: Number(port), noDelay: true });
      const pair: Pair = { client, upstream };
      pairs.add(pair);
      upstream.on("error", () => client.destroy());
      client.on("data", (chunk) => upstream.write(chunk));
      upstream.on("data", (chunk) => {
        if (proxy?.mutesServer !== true) client.write(chunk);
      });
      client.on("close", () => upstream.destroy());
      upstream.on("close", () => {
        pairs.delete(pair);
        client.destroy();
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    proxy = new CuttingProxy(listener, pairs);
    return proxy;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const { client } of this.#pairs) client.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
