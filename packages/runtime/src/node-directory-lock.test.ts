/** A lock dies with its process, however that dies. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NodeDisk } from "./index.ts";

test("a directory locked by another process is refused until that process is killed", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "vivarium-lock-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = `
    const { NodeDisk } = await import(${JSON.stringify(new URL("./index.js", import.meta.url).href)});
    await new NodeDisk().lock(${JSON.stringify(directory)}, "vivarium server, port 2181");
    console.log("locked");
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => other.kill("SIGKILL"));
  await once(other.stdout, "data");
  const disk = new NodeDisk();
  await assert.rejects(disk.lock(directory, "us"), {
    name: "DirectoryLockedError",
    holder: `process ${other.pid}: vivarium server, port 2181`,
  });
  other.kill("SIGKILL");
  await once(other, "exit");
  await (await disk.lock(directory, "us")).release();
});
