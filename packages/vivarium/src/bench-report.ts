// What `vivarium bench` shows while it runs and at its end.

import type { Address, Figure, Settings } from "@vivarium/load";
import type { Terminal } from "./terminal.ts";

const BAR = 24;
/** Goes to the start of the line and empties it. */
const WIPE = "\r\x1b[K";
const LINE = 78;

export class BenchReport {
  readonly #terminal: Terminal;
  readonly #remarks: string[] = [];
  /** Elsewhere than on a terminal each thing done is said once. */
  #said = "";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  progress(doing: string, share: number): void {
    const { isInteractive } = this.#terminal;
    if (isInteractive) {
      const filled = Math.round(Math.min(1, share) * BAR);
      const bar = `${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${Math.floor(share * 100)} %`;
      this.#terminal.complain(`${WIPE}${`${bar}  ${doing}`.slice(0, LINE)}`);
    } else if (doing !== this.#said) {
      this.#said = doing;
      this.#terminal.complain(`${doing}\n`);
    }
  }

  note(text: string): void {
    this.#terminal.complain(`${this.#terminal.isInteractive ? WIPE : ""}${text}\n`);
  }

  remark(text: string): void {
    if (!this.#remarks.includes(text)) this.#remarks.push(text);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#terminal.isInteractive) this.#terminal.complain(WIPE);
  }

  table(figures: readonly Figure[]): string {
    const rows = figures.map(({ title, value, unit }) => [title, amount(value), unit] as const);
    const left = Math.max(...rows.map(([title]) => title.length));
    const right = Math.max(...rows.map(([, value]) => value.length));
    const lines = rows.map(([title, value, unit]) => `${title.padEnd(left)}  ${value.padStart(right)} ${unit}`);
    return `${[...lines, ...this.#remarks.map((remark) => `Note: ${remark}.`)].join("\n")}\n`;
  }

  json(found: { hosts: readonly Address[]; settings: Settings; figures: readonly Figure[] }): string {
    return `${JSON.stringify({ ...found, remarks: this.#remarks }, null, 2)}\n`;
  }
}

const amount = (value: number) => (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en-US"));
