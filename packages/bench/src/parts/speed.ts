/** One server under the independent generator: many requests in flight, and one at a time. */
import { microseconds, opsPerSecond } from "@vivarium/load";
import { loadServers } from "../load-server.ts";
import { everyTurn, type Part } from "../part.ts";
import { withServer } from "../with-server.ts";
import type { Load } from "../zkload.ts";

const crowd = { connections: 50, window: 20, sizeBytes: 1024 };
const alone = { connections: 1, window: 1, sizeBytes: 1024 };

export const speed: Part = {
  name: "speed",
  about: "one server: reads, writes and 2:1 with 50 connections × 20 in flight, and one request at a time",
  roles: ["ours", "theirs", "bare"],
  turns: everyTurn,
  run: (stage) =>
    withServer(stage, async (server) => {
      const { record } = stage;
      const load = (doing: string, options: Omit<Load, "seconds">) => loadServers(stage, doing, [server], options);
      // Once for nothing: both runtimes compile what is hot only after a while.
      await load("warming up", { ...crowd, readPercent: 50 });
      const reads = await load("reads", { ...crowd, readPercent: 100 });
      record(opsPerSecond("reads", "reads", reads.ops_s));
      record(microseconds("reads.p99", "reads, 99th percentile", reads.read_p99_us));
      const writes = await load("writes", { ...crowd, readPercent: 0 });
      record(opsPerSecond("writes", "writes", writes.ops_s));
      record(microseconds("writes.p99", "writes, 99th percentile", writes.write_p99_us));
      const mixed = await load("2:1", { ...crowd, readPercent: 67 });
      record(opsPerSecond("mixed", "2 reads : 1 write", mixed.ops_s));
      record(microseconds("mixed.read.p99", "2:1, 99th percentile of a read", mixed.read_p99_us));
      record(microseconds("mixed.write.p99", "2:1, 99th percentile of a write", mixed.write_p99_us));
      const read = await load("one read at a time", { ...alone, readPercent: 100 });
      record(microseconds("sequential.read", "one connection, one read at a time, median", read.read_p50_us));
      const write = await load("one write at a time", { ...alone, readPercent: 0 });
      record(microseconds("sequential.write", "one connection, one write at a time, median", write.write_p50_us));
    }),
};
