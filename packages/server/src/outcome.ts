/** How a server ended: well, or by a fault. The first word counts. */
export class Outcome {
  readonly promise: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever does not ask why it stopped has seen the log line.
    this.promise.catch(() => {});
  }

  done(): void {
    this.#resolve();
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}
