/** At most one established leader per epoch. */
import { type Report, violation } from "./violation.ts";

export class Leaders {
  readonly #byEpoch = new Map<number, string>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  established(server: string, epoch: number): void {
    const other = this.#byEpoch.get(epoch);
    if (other !== undefined && other !== server) {
      const what = `${server} leads epoch ${epoch}, which ${other} has led`;
      this.#report(violation("one leader per epoch", what, server, other));
    }
    this.#byEpoch.set(epoch, server);
  }
}
