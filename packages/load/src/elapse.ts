/** Waiting that can be watched and stopped. */
const TICK_MS = 100;

/** Resolves after `ms`, telling on the way which share of it is over. @throws the signal's reason as soon as it is aborted */
export function elapse(ms: number, signal: AbortSignal, onProgress: (share: number) => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const startMs = performance.now();
    const ticking = setInterval(() => onProgress(Math.min(1, (performance.now() - startMs) / ms)), TICK_MS);
    const end = (settle: () => void) => () => {
      clearInterval(ticking);
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      settle();
    };
    const aborted = end(() => reject(signal.reason));
    const timer = setTimeout(end(resolve), ms);
    signal.addEventListener("abort", aborted);
  });
}

/** The promise, or an error once `ms` are over or somebody wants to stop. */
export function within<T>(ms: number, what: string, signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const abort = new AbortController();
  const late = elapse(ms, AbortSignal.any([signal, abort.signal])).then(() => {
    throw new Error(`${what} took more than ${ms / 1000} s`);
  });
  return Promise.race([promise, late]).finally(() => abort.abort());
}
