/** Medians, spreads and ratios of what was measured, as rows of a table. */
import { type Measurement, type MetricName, metrics } from "./metrics.ts";

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Row {
  readonly metric: MetricName;
  readonly ours: Spread;
  readonly theirs: Spread;
  /** How many times better ours is: above 1 is better, whichever way the metric counts. */
  readonly better: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  const least = sorted[0];
  const most = sorted.at(-1);
  if (upper === undefined || lower === undefined || least === undefined || most === undefined) {
    throw new RangeError("no values to summarise");
  }
  return { median: (lower + upper) / 2, least, most };
}

/** A row for each metric that both servers have numbers for, in the order of `metrics`. */
export function summarise(measurements: readonly Measurement[], servers: { ours: string; theirs: string }): Row[] {
  const values = (server: string, metric: MetricName) =>
    measurements.filter((one) => one.server === server && one.metric === metric).map(({ value }) => value);
  const rows: Row[] = [];
  for (const metric of Object.keys(metrics) as MetricName[]) {
    const [our, their] = [values(servers.ours, metric), values(servers.theirs, metric)];
    if (our.length === 0 || their.length === 0) continue;
    const [ours, theirs] = [spread(our), spread(their)];
    const ratio = ours.median / theirs.median;
    rows.push({ metric, ours, theirs, better: metrics[metric].larger ? ratio : 1 / ratio });
  }
  return rows;
}

const amount = (value: number) => (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en-US"));
const cell = ({ median, least, most }: Spread) =>
  least === most ? amount(median) : `${amount(median)} (${amount(least)}–${amount(most)})`;

/** The rows as a Markdown table that also reads well in a terminal. */
export function table(rows: readonly Row[]): string {
  const head = ["median (least–most)", "unit", "Vivarium", "Apache 3.9.5", "better by"];
  const body = rows.map(({ metric, ours, theirs, better }) => {
    const { title, unit } = metrics[metric];
    return [title, unit, cell(ours), cell(theirs), `${better.toFixed(2)}×`];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/** A page with what stands between its bench marks replaced. @throws Error if it has no marks */
export function replaceTable(page: string, content: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} followed by ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${content}\n\n${page.slice(end)}`;
}
