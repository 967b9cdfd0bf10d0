// The probe in a process like those that are measured: it must see a stall that is there, and forget it once told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stallReader } from "./stall-reader.ts";

const STALL_MS = 300;
/** Stalls once somebody has sent a byte, and answers one. */
const program = `
  process.stdin.once("data", () => {
    const end = performance.now() + ${STALL_MS};
    while (performance.now() < end);
    process.stdout.write("done");
  });
  process.stdout.write("ready");
`;

test("the longest stall is told once", async () => {
  const directory = await mkdtemp(join(tmpdir(), "vivarium-stall-"));
  const reader = stallReader(join(directory, "stall"));
  const args = [...reader.nodeFlags, "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...reader.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    await reader.longestStallMs(pid);
    child.stdin.write("x");
    await once(child.stdout, "data");
    const longest = await reader.longestStallMs(pid);
    assert.ok(longest >= STALL_MS * 0.9, `${longest} ms of ${STALL_MS}`);
    assert.ok((await reader.longestStallMs(pid)) < longest);
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
    await rm(directory, { recursive: true });
  }
});
