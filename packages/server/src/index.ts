/** One ZooKeeper server. */
export { ClientConnection } from "./client-connection.ts";
export * from "./config/index.ts";
export * from "./log/index.ts";
export type { ServerPorts } from "./server-ports.ts";
export { loadMembership, type RunningServer, type StartServerOptions, startServer } from "./start-server.ts";
export { VIVARIUM_VERSION } from "./version.ts";
export type { ZooKeeperServer } from "./zookeeper-server.ts";
