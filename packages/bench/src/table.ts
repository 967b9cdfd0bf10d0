/** Rows as a Markdown table that also reads well in a terminal. */
import type { Spread } from "./spread.ts";
import type { Row } from "./summary.ts";

const amount = (value: number) => {
  if (value !== 0 && value < 0.095) return value.toFixed(3);
  return value < 9.995 ? value.toFixed(2) : Math.round(value).toLocaleString("en-US");
};

function cell({ median, least, most }: Spread, suffix = ""): string {
  const [middle, from, to] = [amount(median), amount(least), amount(most)];
  return from === to ? `${middle}${suffix}` : `${middle}${suffix} (${from}–${to})`;
}

function peerCell({ peer }: Row): string {
  if (peer === undefined) return "";
  return `${peer.name === undefined ? "" : `${peer.name}: `}${cell(peer.spread)}`;
}

const ratioCell = ({ ratio }: Row) => (ratio === undefined ? "" : cell(ratio, "×"));
const reachedCell = ({ isReached }: Row) => (isReached === undefined ? "" : isReached ? "yes" : "**no**");

/** `goals` adds two columns. */
export function table(rows: readonly Row[], names: { ours: string; theirs: string }, { goals = false } = {}): string {
  const head = [
    "median (least–most)",
    "unit",
    names.ours,
    names.theirs,
    "ratio",
    ...(goals ? ["goal", "reached"] : []),
  ];
  const body = rows.map((row) => {
    const cells = [row.title, row.unit, cell(row.ours), peerCell(row), ratioCell(row)];
    return goals ? [...cells, row.goal ?? "", reachedCell(row)] : cells;
  });
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
