/** ZooKeeper servers inside a test process. */
export type { DumpedNode } from "./dump.ts";
export type { SeedTree } from "./seed.ts";
export { TestClock } from "./test-clock.ts";
export { type Leaks, type OpName, TestServer, type TestServerOptions } from "./test-server.ts";
