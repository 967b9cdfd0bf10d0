// The probe in a process like those that are measured: it must see a stall that is there, and forget it once told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stallReader } from "./stall-reader.ts";

const WORK_MS = 150;
const WAIT_MS = 150;
const STALL_MS = WORK_MS + WAIT_MS;
/** Stalls once somebody has sent a byte, partly without the processor, and answers one. */
const program = `
  process.stdin.once("data", () => {
    const end = process.cpuUsage().user + ${WORK_MS * 1000};
    while (process.cpuUsage().user < end);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${WAIT_MS});
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
    await reader.longestStall(pid);
    child.stdin.write("x");
    await once(child.stdout, "data");
    const { stallMs, turnMs } = await reader.longestStall(pid);
    assert.ok(stallMs >= STALL_MS * 0.9, `${stallMs} ms of ${STALL_MS}`);
    assert.ok(turnMs >= WORK_MS * 0.9, `${turnMs} ms of ${WORK_MS}`);
    assert.ok(turnMs < stallMs - WAIT_MS * 0.9, "waiting for something else is no work");
    const next = await reader.longestStall(pid);
    assert.ok(next.stallMs < stallMs && next.turnMs < turnMs);
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
    await rm(directory, { recursive: true });
  }
});
