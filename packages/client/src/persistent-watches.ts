/** Sets persistent watches and takes them off again, here and at the server. */
import { ErrorCode, WatcherType } from "@vivarium/protocol";
import type { AddWatchOptions } from "./call-options.ts";
import type { Core } from "./core.ts";
import { BadArgumentsError, MarshallingError, requestError } from "./errors.ts";
import { operations } from "./operations.ts";
import { Request } from "./request.ts";
import { Watch } from "./watch.ts";
import { addWatchMode } from "./watch-registry.ts";

/** `request` is the addWatch for a path that was checked. */
export async function setWatch(core: Core, request: Request, options: AddWatchOptions): Promise<Watch> {
  const { recursive = false, listener, signal } = options;
  const { watches } = core.machine.exchange;
  const watch = new Watch({
    fullPath: request.path,
    chrootLength: request.chrootLength,
    recursive,
    listener,
    maxQueuedEvents: core.settings.maxQueuedEvents,
    remove: (removed) => removeWatch(core, removed),
    lostError: (reason, at) => {
      const code = reason === "authFailed" ? ErrorCode.AUTHFAILED : ErrorCode.SESSIONEXPIRED;
      return requestError(code, { op: "watch", path: at });
    },
  });
  request.number = addWatchMode(recursive);
  request.watcher = watch;
  watches.ask(watch);
  try {
    const set = core.submit(request, options);
    if (!recursive && !request.settled) learnExistence(core, watch);
    await set;
  } catch (error) {
    watches.unask(watch);
    throw error;
  }
  signal?.addEventListener("abort", () => void watch.close(), { once: true });
  return watch;
}

/** Sent right behind addWatch, so that a gap can later be told from nothing. */
function learnExistence(core: Core, watch: Watch): void {
  const request = new Request(operations.exists, watch.fullPath, 0);
  core.submit(request, undefined).then(
    (stat) => watch.baseline(stat !== null),
    () => undefined,
  );
}

async function removeWatch(core: Core, watch: Watch): Promise<void> {
  const { watches } = core.machine.exchange;
  if (!watches.removePersistent(watch)) return;
  try {
    await sendRemove(core, watch.fullPath, watch.recursive ? WatcherType.PersistentRecursive : WatcherType.Persistent);
  } catch (error) {
    // Older servers know only "any", which may be said when nobody else watches the path.
    const unknownType = error instanceof MarshallingError || error instanceof BadArgumentsError;
    if (!unknownType || watches.watches(watch.fullPath)) return;
    await sendRemove(core, watch.fullPath, WatcherType.Any).catch(() => undefined);
  }
}

function sendRemove(core: Core, fullPath: string, type: WatcherType): Promise<unknown> {
  const request = new Request(operations.removeWatches, fullPath, 0);
  request.number = type;
  return core.submit(request, undefined);
}
