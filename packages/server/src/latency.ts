/** Minimum, average and maximum of what one connection or the whole server has measured, in milliseconds. */
export class Latency {
  count = 0;
  totalMs = 0;
  minMs = 0;
  maxMs = 0;

  add(ms: number): void {
    if (this.count === 0 || ms < this.minMs) this.minMs = ms;
    if (ms > this.maxMs) this.maxMs = ms;
    this.count++;
    this.totalMs += ms;
  }

  get averageMs(): number {
    return this.count === 0 ? 0 : this.totalMs / this.count;
  }

  reset(): void {
    this.count = 0;
    this.totalMs = 0;
    this.minMs = 0;
    this.maxMs = 0;
  }
}
