/** Four-letter words: what a server says about itself on its client port, outside any session. */
import { type Network, NodeNetwork } from "@vivarium/runtime";
import { hostText, parseHosts } from "./connect-string.ts";

export interface FourLetterWordOptions {
  /** Default 5 000 milliseconds. */
  timeoutMs?: number;
  network?: Pick<Network, "connect">;
}

/**
 * Asks the first server of `server` ("host:port") one of "srvr", "ruok", "isro", "mntr" and so on, and returns its
 * answer as it is. A server answers only the words of its `4lw.commands.whitelist`, and says so for others.
 */
export function fourLetterWord(server: string, word: string, options: FourLetterWordOptions = {}): Promise<string> {
  const { timeoutMs = 5000, network = new NodeNetwork() } = options;
  const [host] = parseHosts(server);
  if (host === undefined) return Promise.reject(new TypeError(`"${server}" names no server`));
  const connection = network.connect({ host: host.host, port: host.port, timeoutMs });
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const timer = setTimeout(() => {
      reject(new Error(`${hostText(host)} did not answer ${word} within ${timeoutMs} ms`));
      connection.destroy();
    }, timeoutMs);
    connection.onConnect = () => connection.write(Buffer.from(word));
    connection.onData = (chunk) => chunks.push(chunk);
    connection.onClose = (error) => {
      clearTimeout(timer);
      if (error === null || chunks.length > 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(new Error(`${hostText(host)} cannot be asked ${word}: ${error.message}`, { cause: error }));
    };
  });
}
