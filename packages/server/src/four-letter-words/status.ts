/** srvr, stat, cons and conf. */
import { Role, zxidHex } from "@vivarium/protocol";
import { type ClientConnection, sessionHex } from "../client-connection.ts";
import type { EnsembleView } from "../peer/ensemble-view.ts";
import { FULL_VERSION } from "../version.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import { average, whole } from "./figures.ts";
import type { WordContext } from "./word-context.ts";

/** The number of the only election algorithm that is left. */
const FAST_LEADER_ELECTION = 3;

export function serverStatus(context: WordContext, options: { withClients: boolean }): string {
  const { server } = context;
  if (server === null) return "";
  const { stats } = server;
  const { minMs, averageMs, maxMs } = stats.latency;
  const sizes = context.ensemble?.leader?.proposalSizes;
  const clients = options.withClients ? `Clients:\n${clientLines(server)}\n` : "";
  return [
    `Zookeeper version: ${FULL_VERSION}\n`,
    clients,
    `Latency min/avg/max: ${whole(minMs)}/${average(averageMs)}/${whole(maxMs)}\n`,
    `Received: ${stats.received}\n`,
    `Sent: ${stats.sent}\n`,
    `Connections: ${server.listener.size}\n`,
    `Outstanding: ${server.dispatcher.outstanding}\n`,
    `Zxid: 0x${zxidHex(server.lastProcessedZxid)}\n`,
    `Mode: ${context.serverState}\n`,
    `Node count: ${server.tree.nodes.size}\n`,
    sizes === undefined ? "" : `Proposal sizes last/min/max: ${sizes}\n`,
  ].join("");
}

export function* connections({ server }: WordContext): Generator<string, void, void> {
  for (const connection of server?.listener.connections() ?? [])
    yield `${connectionLine(connection, { brief: false })}\n`;
  yield "\n";
}

function clientLines({ listener }: ZooKeeperServer): string {
  let text = "";
  for (const connection of listener.connections()) text += `${connectionLine(connection, { brief: true })}\n`;
  return text;
}

/** The bracket holds the selector's interest: 1 while requests are read. */
function connectionLine(c: ClientConnection, { brief }: { brief: boolean }): string {
  const interest = c.throttled || c.state === "answering" || c.state === "closed" ? "0" : "1";
  let text = ` /${c.peer}[${interest}](queued=${c.outstanding},recved=${c.received},sent=${c.sent}`;
  if (!brief && c.session !== null) {
    text += `,sid=0x${sessionHex(c.session.id)},lop=${c.lastOp},est=${c.establishedMs},to=${c.session.timeoutMs}`;
    if (c.lastCxid >= 0) text += `,lcxid=0x${c.lastCxid.toString(16)}`;
    text += `,lzxid=0x${zxidHex(c.lastZxid)},lresp=${whole(c.lastResponseMs)},llat=${whole(c.lastLatencyMs)}`;
    text += `,minlat=${whole(c.latency.minMs)},avglat=${whole(c.latency.averageMs)},maxlat=${whole(c.latency.maxMs)}`;
  }
  return `${text})`;
}

export async function configuration(context: WordContext): Promise<string> {
  const { server } = context;
  if (server === null) return "";
  const { config } = server;
  const sizes = await context.directorySizes();
  const lines: [string, string | number][] = [
    ["clientPort", context.clientPort()],
    ["secureClientPort", -1],
    ["dataDir", `${config.dataDir}/version-2`],
    ["dataDirSize", sizes.dataDirBytes],
    ["dataLogDir", `${config.dataLogDir}/version-2`],
    ["dataLogSize", sizes.dataLogDirBytes],
    ["tickTime", config.tickTimeMs],
    ["maxClientCnxns", config.maxClientCnxns],
    ["minSessionTimeout", config.minSessionTimeoutMs],
    ["maxSessionTimeout", config.maxSessionTimeoutMs],
    ["clientPortListenBacklog", config.clientPortListenBacklog],
    ["serverId", context.serverId],
  ];
  const text = lines.map(([key, value]) => `${key}=${value}\n`).join("");
  return context.ensemble === undefined ? text : text + ensembleConfiguration(context.ensemble.view);
}

function ensembleConfiguration(view: EnsembleView): string {
  const ports = (which: "electionPort" | "quorumPort") =>
    view.self.addresses.map((address) => address[which]).join("|");
  return [
    `initLimit=${view.initLimit}\n`,
    `syncLimit=${view.syncLimit}\n`,
    `electionAlg=${FAST_LEADER_ELECTION}\n`,
    `electionPort=${ports("electionPort")}\n`,
    `quorumPort=${ports("quorumPort")}\n`,
    `peerType=${view.self.role === Role.observer ? 1 : 0}\n`,
    `membership: \n${view.membershipText}`,
  ].join("");
}
