/** What the operating system says of this process; -1 where it says nothing. */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

export function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Not on this platform.
    return -1;
  }
}

/** How many files this process may have open: its soft limit. */
export function maxOpenFiles(): number {
  try {
    const limit = /^Max open files +([0-9]+) /m.exec(readFileSync("/proc/self/limits", "utf8"));
    return limit === null ? -1 : Number(limit[1]);
  } catch {
    return -1;
  }
}

export function residentBytes(): number {
  return process.memoryUsage.rss();
}
