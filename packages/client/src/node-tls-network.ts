/**
 * TLS to the servers' secureClientPort. Files are read at each attempt, so a renewed certificate is used from the next
 * connection on without a restart.
 */
import { readFile } from "node:fs/promises";
import tls from "node:tls";
import type { Connection, ConnectOptions, Network } from "@vivarium/runtime";

export interface TlsOptions {
  /** PEM files: who is trusted, and for mutual TLS who we are. */
  caFile?: string;
  certFile?: string;
  keyFile?: string;
  /** The same as PEM text or bytes, instead of files. */
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  passphrase?: string;
  /** The name that the certificate must be for; default the host connected to. */
  serverName?: string;
  /** False: any certificate will do. Only for experiments. Default true. */
  rejectUnauthorized?: boolean;
  minVersion?: tls.SecureVersion;
}

const nothing = (): void => {};

export class NodeTlsNetwork implements Pick<Network, "connect"> {
  readonly #options: TlsOptions;

  constructor(options: TlsOptions) {
    this.#options = options;
  }

  connect(target: ConnectOptions): Connection {
    return new TlsConnection(this.#contextOptions(target));
  }

  async #contextOptions({ host, port }: ConnectOptions): Promise<tls.ConnectionOptions> {
    const { caFile, certFile, keyFile, serverName, ...given } = this.#options;
    const isAddress = /^[\d.]+$|:/.test(host);
    const servername = serverName ?? (isAddress ? undefined : host);
    return {
      host,
      port,
      ...(servername === undefined ? {} : { servername }),
      ...given,
      ...(caFile === undefined ? {} : { ca: await readFile(caFile) }),
      ...(certFile === undefined ? {} : { cert: await readFile(certFile) }),
      ...(keyFile === undefined ? {} : { key: await readFile(keyFile) }),
    };
  }
}

class TlsConnection implements Connection {
  remoteAddress = "";
  remotePort = 0;
  localAddress = "";
  localPort = 0;
  onConnect: () => void = nothing;
  onData: (chunk: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onEnd: () => void = () => this.end();
  onClose: (error: Error | null) => void = nothing;
  #socket: tls.TLSSocket | undefined;
  #destroyed = false;
  #error: Error | null = null;

  constructor(options: Promise<tls.ConnectionOptions>) {
    options.then(
      (ready) => this.#open(ready),
      (error: Error) => this.onClose(new Error(`the TLS files cannot be read: ${error.message}`, { cause: error })),
    );
  }

  #open(options: tls.ConnectionOptions): void {
    if (this.#destroyed) {
      this.onClose(null);
      return;
    }
    const socket = tls.connect(options);
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("secureConnect", () => {
      this.remoteAddress = socket.remoteAddress ?? "";
      this.remotePort = socket.remotePort ?? 0;
      this.localAddress = socket.localAddress ?? "";
      this.localPort = socket.localPort ?? 0;
      this.onConnect();
    });
    socket.on("data", (chunk: Buffer) => this.onData(chunk));
    socket.on("drain", () => this.onDrain());
    socket.on("end", () => this.onEnd());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.onClose(this.#error));
  }

  get bufferedBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // TLS may keep the memory although nothing counts as buffered any more, so it gets memory of its own.
    return socket?.writable === true && socket.write(Uint8Array.prototype.slice.call(bytes));
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  end(): void {
    this.#socket?.end();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#socket?.destroy();
  }
}
