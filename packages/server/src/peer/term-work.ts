/**
 * What the disk and the connections still do for a term of leading or learning. A term that is over hears no more of it,
 * but the next one begins only when all of it is done: two terms never work on the same files.
 */
export interface WorkOutcome<T> {
  /** Not called once the term is over. May throw: then `failed` is told. */
  done(result: T): void;
  failed(error: Error): void;
}

export class TermWork {
  readonly #running = new Set<Promise<void>>();
  #isOver = false;

  do<T>(work: Promise<T>, { done, failed }: WorkOutcome<T>): void {
    const running: Promise<void> = work
      .then((result) => {
        if (!this.#isOver) done(result);
      })
      .catch(failed)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** The term is over. Resolves when nothing is under way any more. */
  async end(): Promise<void> {
    this.#isOver = true;
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
