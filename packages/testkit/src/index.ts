/** ZooKeeper servers inside a test process. */
export type { Leaks } from "./leaks.ts";
export type { OpName } from "./op-names.ts";
export type { SeedTree } from "./seed.ts";
export type { TestServerOptions } from "./server-config.ts";
export { type SessionOf, TestServer } from "./test-server.ts";
export type { Dump, TestNode } from "./tree-view.ts";
