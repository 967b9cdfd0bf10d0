/** The workloads that `vivarium bench` has too, each on a server of its own, by our own generator. */
import { runWorkloads, type Workload, workloads } from "@vivarium/load";
import { fewerTurns, oneTurn, type Part } from "../part.ts";
import { hostsOf, network, viewOf } from "../server-view.ts";
import { withServer } from "../with-server.ts";

/** Those that zkload does for the table. */
const elsewhere = ["reads", "writes", "mixed", "sequential"];

/** Those among the goals. */
const judged = ["children", "expiry"];

const partOf = (workload: Workload): Part => ({
  name: workload.name,
  about: workload.about,
  roles: ["ours", "theirs"],
  turns: judged.includes(workload.name) ? fewerTurns : oneTurn,
  run: (stage) =>
    withServer(stage, async ({ port, pid }) => {
      const { sessions, children, seconds } = stage.scale;
      const figures = await runWorkloads({
        network,
        hosts: hostsOf({ port }),
        root: "/bench",
        workloads: [workload],
        settings: {
          connections: 50,
          window: 20,
          sizeBytes: 1024,
          readPercent: 67,
          seconds: seconds / 2,
          sessions,
          children,
        },
        signal: new AbortController().signal,
        process: viewOf(pid),
        onProgress: (_, doing) => stage.doing(doing),
        onRemark: stage.remark,
      });
      for (const figure of figures) stage.record(figure);
    }),
});

export const workloadParts: readonly Part[] = workloads.filter(({ name }) => !elsewhere.includes(name)).map(partOf);
