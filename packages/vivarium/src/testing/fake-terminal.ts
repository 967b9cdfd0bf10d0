import type { Terminal } from "../terminal.ts";

/** A terminal that keeps what it is given, and sends the signals a test wants. */
export class FakeTerminal implements Terminal {
  printed = "";
  complaints = "";
  readonly colours = false;
  isInteractive = false;
  readonly exits: number[] = [];
  now = 0;
  readonly #callbacks = new Set<(signal: string) => void>();

  print(text: string): void {
    this.printed += text;
  }

  complain(text: string): void {
    this.complaints += text;
  }

  onStopSignal(callback: (signal: string) => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  nowMs(): number {
    return this.now;
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  /** How many ask to be told of signals. */
  get listeners(): number {
    return this.#callbacks.size;
  }

  signal(name: string): void {
    for (const callback of [...this.#callbacks]) callback(name);
  }
}
