// One ZooKeeper server.

export * from "./config/index.ts";
export * from "./log/index.ts";
