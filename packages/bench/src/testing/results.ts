/** Results with made-up numbers, of which a test knows what must come out. */
import type { Role } from "../contender.ts";
import { scales } from "../part.ts";
import type { FigureInfo, Measurement, Results } from "../results.ts";

const info = (title: string, unit: FigureInfo["unit"], better: FigureInfo["better"], part: string): FigureInfo => ({
  title,
  unit,
  better,
  part,
});

/** One value per turn. */
const values = (role: Role, key: string, ...turns: number[]): Measurement[] =>
  turns.map((value, index) => ({ role, turn: index + 1, key, value }));

export const results: Results = {
  date: "2026-01-02T03:04:05.678Z",
  machine: "a machine",
  commit: "abc",
  names: { ours: "Vivarium", theirs: "Apache 3.9.5", bare: "bare Node.js" },
  scale: { ...scales.quick, children: 100_000 },
  figures: {
    reads: info("reads", "ops/s", "more", "speed"),
    "reads.p99": info("reads, 99th percentile", "µs", "less", "speed"),
    "children.10000": info("getChildren of 10,000 children", "µs", "less", "children"),
    "children.100000": info("getChildren of 100,000 children", "µs", "less", "children"),
    multi: info("multis of 10 setData", "ops/s", "more", "multi"),
    "stall.speed": info("longest stall: speed", "ms", "less", "speed"),
    "stall.memory": info("longest stall: memory", "ms", "less", "memory"),
  },
  measurements: [
    ...values("ours", "reads", 600, 400, 500),
    ...values("theirs", "reads", 100, 100, 50),
    ...values("bare", "reads", 1000),
    ...values("ours", "reads.p99", 60),
    ...values("theirs", "reads.p99", 100),
    ...values("ours", "children.10000", 10),
    ...values("ours", "children.100000", 120),
    ...values("ours", "multi", 5),
    ...values("ours", "stall.speed", 5, 30),
    ...values("ours", "stall.memory", 7),
  ],
  lines: [
    {
      plot: "memory",
      name: "resident memory",
      role: "ours",
      points: [
        [0, 50],
        [1000, 60],
      ],
    },
    {
      plot: "memory",
      name: "resident memory",
      role: "theirs",
      points: [
        [0, 200],
        [1000, 300],
      ],
    },
    {
      plot: "memory",
      name: "resident memory",
      role: "ours",
      points: [
        [0, 51],
        [1000, 61],
      ],
    },
    {
      plot: "latency",
      name: "reads",
      role: "ours",
      points: [
        [0.5, 1],
        [0.99, 8],
      ],
    },
    {
      plot: "latency",
      name: "writes",
      role: "ours",
      points: [
        [0.5, 10],
        [0.99, 80],
      ],
    },
  ],
  remarks: [],
};
