/** Creating znodes for so long that snapshots are written meanwhile. */
import { microseconds, opsPerSecond } from "@vivarium/load";
import { loadServers } from "../load-server.ts";
import { fewerTurns, type Part } from "../part.ts";
import { withServer } from "../with-server.ts";

export const snapshots: Part = {
  name: "snapshots",
  about: "creates of 100 B, 20 connections × 100 in flight, while snapshots are written",
  roles: ["ours", "theirs"],
  turns: fewerTurns,
  run: (stage) =>
    withServer(stage, async (server) => {
      const load = { connections: 20, window: 100, sizeBytes: 100, readPercent: 0, creates: true };
      const creates = await loadServers(stage, "creates", [server], { ...load, seconds: stage.scale.createSeconds });
      stage.record(opsPerSecond("creates", "creates of 100 B during snapshots", creates.ops_s));
      stage.record(microseconds("creates.p99", "creates during snapshots, 99th percentile", creates.write_p99_us));
    }),
};
