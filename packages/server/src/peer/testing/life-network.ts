/** The network of one life of a server: when the process is killed, its ports and connections go, and it hears nothing of that. */
import type { Connection, ConnectOptions, Listener, ListenOptions, Network } from "@vivarium/runtime";

export class LifeNetwork implements Network {
  readonly #network: Network;
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Set<Connection>();
  #isOver = false;

  constructor(network: Network) {
    this.#network = network;
  }

  async listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener> {
    const listener = await this.#network.listen(options, (connection) => {
      this.#connections.add(connection);
      onConnection(connection);
    });
    this.#listeners.add(listener);
    return listener;
  }

  connect(options: ConnectOptions): Connection {
    const connection = this.#network.connect(options);
    if (this.#isOver) connection.destroy();
    this.#connections.add(connection);
    return connection;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    for (const connection of this.#connections) {
      connection.onConnect = connection.onData = connection.onDrain = connection.onEnd = connection.onClose = () => {};
      connection.destroy();
    }
    for (const listener of this.#listeners) await listener.close();
  }
}
