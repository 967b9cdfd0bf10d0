/**
 * Loaded into our server with `--import`, so that nothing in the server is different for being measured. A timer in native
 * code watches the event loop: the longest time for which it did not come round is what others had to wait. On a machine
 * whose processors others use too, that is also time in which the process was ready and did not run. So a second timer
 * asks Linux how long the main thread did run meanwhile. SIGUSR2 writes both since the last time, in milliseconds, to a file.
 */
import { openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";
import type { Stall } from "./contender.ts";

const RESOLUTION_MS = 2;
/** Long enough for the timers to have fired. */
const TICK_MS = 2 * RESOLUTION_MS + 1;
const file = process.env["VIVARIUM_STALL_FILE"];

/** Milliseconds for which the main thread has run: the first number of its schedstat, in nanoseconds. */
function runtimeClock(): () => number {
  const schedstat = openSync("/proc/self/schedstat", "r");
  const text = Buffer.alloc(64);
  return () => Number.parseInt(text.toString("latin1", 0, readSync(schedstat, text, 0, text.length, 0)), 10) / 1e6;
}

if (isMainThread && file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const ranMs = runtimeClock();
  let beforeMs = ranMs();
  let longestTurnMs = 0;
  const turnEnded = () => {
    const nowMs = ranMs();
    longestTurnMs = Math.max(longestTurnMs, nowMs - beforeMs);
    beforeMs = nowMs;
  };
  setInterval(turnEnded, RESOLUTION_MS).unref();
  const look = () => {
    const stallMs = delays.count === 0 ? 0 : Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
    const stall: Stall = { stallMs, turnMs: longestTurnMs };
    delays.reset();
    longestTurnMs = 0;
    // After a reset the first firing only starts to measure: nobody is told before that.
    setTimeout(tell, TICK_MS, stall);
  };
  const tell = (stall: Stall) => {
    // Renamed, so that whoever waits for it never reads a part of it.
    writeFileSync(`${file}.new`, JSON.stringify(stall));
    renameSync(`${file}.new`, file);
  };
  // A signal comes before the timers of its turn: a stall that has just ended is not counted yet.
  process.on("SIGUSR2", () => setTimeout(look, TICK_MS));
}
