/**
 * Loaded into our server with `--import`, so that nothing in the server is different for being measured: a timer in native
 * code watches the event loop, and SIGUSR2 writes the longest stall since the last time, in milliseconds, to a file.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const RESOLUTION_MS = 2;
const file = process.env["VIVARIUM_STALL_FILE"];

if (isMainThread && file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  process.on("SIGUSR2", () => {
    const most = delays.count === 0 ? 0 : Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
    delays.reset();
    // Renamed, so that whoever waits for it never reads a part of it.
    writeFileSync(`${file}.new`, String(most));
    renameSync(`${file}.new`, file);
  });
}
