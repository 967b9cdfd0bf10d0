/**
 * The plots of docs/performance.md. ECharts draws SVG without a browser or native code; what a plot is about is a row of a
 * table here, and its lines are those of that name in the results.
 */
import * as echarts from "echarts";
import type { Role } from "./contender.ts";
import type { DrawnLine, Results } from "./results.ts";

const WIDTH = 760;
const HEIGHT = 420;

interface Axis {
  readonly name: string;
  readonly scale: "log" | "value";
  /** What stands at a tick. */
  readonly label?: (value: number) => string;
  /** How far one tick is from the next, where it matters. */
  readonly step?: number;
}

export interface Plot {
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Where a point's x lies on the axis. */
  readonly place?: (x: number) => number;
}

/** 0.99 is two nines: equal steps for ten times rarer waits. */
const nines = (share: number) => -Math.log10(1 - share);
const percentileText = (at: number) => `${Number((100 * (1 - 10 ** -at)).toPrecision(6))} %`;
const thousands = (value: number) => (value >= 1000 ? `${value / 1000} k` : String(value));

export const plots: readonly Plot[] = [
  {
    name: "window",
    title: "Throughput by requests in flight per connection (50 connections, 1 KiB)",
    x: { name: "requests in flight per connection", scale: "log" },
    y: { name: "operations per second", scale: "value", label: thousands },
  },
  {
    name: "latency",
    title: "Latency by percentile (50 connections × 20 in flight, 1 KiB)",
    x: { name: "percentile of requests", scale: "value", label: percentileText, step: 1 },
    y: { name: "latency, ms", scale: "log" },
    place: nines,
  },
  {
    name: "memory",
    title: "Memory while znodes of 100 B are created",
    x: { name: "znodes", scale: "value", label: thousands },
    y: { name: "resident memory, MB", scale: "value" },
  },
  {
    name: "snapshots",
    title: "Creates of 100 B while snapshots are written (20 connections × 100 in flight)",
    x: { name: "time, s", scale: "value" },
    y: { name: "creates per second", scale: "value", label: thousands },
  },
];

const colours: Readonly<Record<Role, string>> = { ours: "#1b6ca8", theirs: "#c4572e", bare: "#6b6b6b" };
const strokes = ["solid", "dashed", "dotted"] as const;

/** The lines of one plot; those of several turns become the one of the last turn. */
export function linesOf({ lines }: Pick<Results, "lines">, plot: string): DrawnLine[] {
  const last = new Map(lines.filter((line) => line.plot === plot).map((line) => [`${line.role} ${line.name}`, line]));
  return [...last.values()];
}

function axis({ name, scale, label, step }: Axis, gap: number) {
  return {
    type: scale,
    name,
    nameLocation: "middle" as const,
    nameGap: gap,
    nameTextStyle: { color: "#333" },
    axisLine: { show: true },
    splitLine: { lineStyle: { color: "#e4e4e4" } },
    ...(step === undefined ? {} : { interval: step }),
    ...(label === undefined ? {} : { axisLabel: { formatter: label } }),
  };
}

/** @returns a whole SVG document, or undefined when there is nothing to draw */
export function drawPlot(plot: Plot, results: Pick<Results, "lines" | "names">): string | undefined {
  const lines = linesOf(results, plot.name);
  if (lines.length === 0) return undefined;
  const place = plot.place ?? ((x) => x);
  const kinds = [...new Set(lines.map(({ name }) => name))];
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: plot.title, left: "center", textStyle: { fontSize: 15 } },
    legend: { top: 34, itemGap: 26 },
    grid: { left: 80, right: 30, top: 75, bottom: 60 },
    xAxis: axis(plot.x, 32),
    yAxis: axis(plot.y, 55),
    series: lines.map(({ role, name, points }) => ({
      type: "line",
      name: kinds.length === 1 ? (results.names[role] ?? role) : `${results.names[role] ?? role}, ${name}`,
      data: points.map(([x, y]) => [place(x), y]),
      itemStyle: { color: colours[role] },
      lineStyle: { color: colours[role], width: 2, type: strokes[kinds.indexOf(name)] ?? "solid" },
      symbolSize: 5,
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
