/**
 * Loaded into our server with `--import`, so that nothing in the server is different for being measured: a timer in native
 * code watches the event loop, and SIGUSR2 writes the longest stall since the last time, in milliseconds, to a file.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const RESOLUTION_MS = 2;
/** Long enough for the native timer to have fired. */
const TICK_MS = 2 * RESOLUTION_MS + 1;
const file = process.env["VIVARIUM_STALL_FILE"];

if (isMainThread && file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const look = () => {
    const most = delays.count === 0 ? 0 : Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
    delays.reset();
    // After a reset the first firing only starts to measure: nobody is told before that.
    setTimeout(tell, TICK_MS, most);
  };
  const tell = (most: number) => {
    // Renamed, so that whoever waits for it never reads a part of it.
    writeFileSync(`${file}.new`, String(most));
    renameSync(`${file}.new`, file);
  };
  // A signal comes before the timers of its turn: a stall that has just ended is not counted yet.
  process.on("SIGUSR2", () => setTimeout(look, TICK_MS));
}
