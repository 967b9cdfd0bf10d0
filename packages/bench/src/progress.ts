/** How far a run of many steps is, and how long it may still take, by the steps that are over. */

export interface Step {
  readonly part: string;
  readonly turn: number;
  readonly name: string;
}

const clock = (ms: number) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
const BAR = 20;

export class Progress {
  readonly #steps: readonly Step[];
  readonly #nowMs: () => number;
  readonly #startMs: number;
  /** What each kind of step took when it was done the last time. */
  readonly #tookMs = new Map<string, number>();
  #stepStartMs: number;
  #at = 0;

  constructor(steps: readonly Step[], nowMs: () => number = () => performance.now()) {
    this.#steps = steps;
    this.#nowMs = nowMs;
    this.#startMs = this.#stepStartMs = nowMs();
  }

  /** The step at hand is over. */
  next(): void {
    const step = this.#steps[this.#at];
    const nowMs = this.#nowMs();
    if (step !== undefined) this.#tookMs.set(kindOf(step), nowMs - this.#stepStartMs);
    this.#stepStartMs = nowMs;
    this.#at++;
  }

  /** One line. */
  line(doing: string): string {
    const step = this.#steps[this.#at];
    const share = this.#at / this.#steps.length;
    const filled = Math.round(share * BAR);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR - filled)}`;
    const where = step === undefined ? "" : `${step.part}, turn ${step.turn}, ${step.name}: `;
    return `${bar} ${this.#at}/${this.#steps.length} ${clock(this.#nowMs() - this.#startMs)}${this.#left()}  ${where}${doing}`;
  }

  /** Known once every kind of step that is left has been done; until then what is unknown counts as the mean. */
  #left(): string {
    const known = [...this.#tookMs.values()];
    if (known.length === 0) return "";
    const mean = known.reduce((sum, ms) => sum + ms, 0) / known.length;
    const rest = this.#steps.slice(this.#at).map((step) => this.#tookMs.get(kindOf(step)) ?? mean);
    const leftMs = rest.reduce((sum, ms) => sum + ms, 0) - (this.#nowMs() - this.#stepStartMs);
    return `, about ${clock(Math.max(0, leftMs))} left`;
  }
}

const kindOf = ({ part, name }: Step) => `${part} ${name}`;
