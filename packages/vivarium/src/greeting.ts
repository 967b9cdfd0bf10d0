// What a newcomer sees once the server listens: where it is, where the data is, how to connect, how to stop.

import { resolve } from "node:path";
import type { ServerConfig } from "@vivarium/server";

export interface GreetingOptions {
  readonly version: string;
  readonly config: ServerConfig;
  readonly address: { readonly host: string; readonly port: number };
}

/** Several lines, with a line break at the end. */
export function greeting(options: GreetingOptions): string {
  const { version, config, address } = options;
  const everywhere = address.host === "" || address.host === "0.0.0.0" || address.host === "::";
  const place = hostAndPort(everywhere ? "127.0.0.1" : address.host, address.port);
  const data = resolve(config.dataDir);
  const log = resolve(config.dataLogDir);
  const rows: [string, string][] = [
    ["serves", everywhere ? `port ${address.port} of every address of this machine` : place],
    ["data", log === data ? data : `${data}, transaction log ${log}`],
    [
      "settings",
      config.file === undefined ? "defaults (npx vivarium server --help-settings lists them)" : resolve(config.file),
    ],
    ["connect", `zkCli.sh -server ${place}`],
    ["from Node", `import { connect } from "@vivarium/client";  await connect("${place}")`],
    ["stop", "Ctrl-C"],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(9)}  ${value}`);
  return `\nVivarium ${version}, a ZooKeeper server\n\n${lines.join("\n")}\n\n`;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
