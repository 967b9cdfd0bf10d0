/** Figures as Java prints them, since that is what tools parse. */

/** A long. */
export function whole(value: number): number {
  return Math.floor(value);
}

/** A double, rounded to four decimals: at least one of them shows. */
export function average(value: number): string {
  const text = String(Math.round(value * 10_000) / 10_000);
  return text.includes(".") ? text : `${text}.0`;
}
