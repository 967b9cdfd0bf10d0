/** Session events as an async iterable: none is lost from the call on, nor between two steps of the loop. */
import type { SessionEvent } from "./session-event.ts";

export interface SessionSource {
  onSessionEvent(listener: (event: SessionEvent) => void): () => void;
  readonly machine: { readonly over: boolean };
}

export function sessionEvents(
  source: SessionSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<SessionEvent, void, undefined> {
  const queue: SessionEvent[] = [];
  let wake: () => void = () => undefined;
  const stop = source.onSessionEvent((event) => {
    queue.push(event);
    wake();
  });
  const onAbort = (): void => {
    stop();
    wake();
  };
  signal?.addEventListener("abort", onAbort, { once: true });

  async function* steps(): AsyncGenerator<SessionEvent, void, undefined> {
    try {
      while (signal?.aborted !== true) {
        const event = queue.shift();
        if (event !== undefined) {
          yield event;
        } else if (source.machine.over) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      stop();
      signal?.removeEventListener("abort", onAbort);
    }
  }
  return steps();
}
