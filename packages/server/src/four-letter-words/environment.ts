/** envi. The java.* lines stay, because tools look for them; they tell what runs this server instead. */
import os from "node:os";
import process from "node:process";
import { FULL_VERSION } from "../version.ts";

const MIB = 1024 * 1024;

export function environment(): string {
  const user = userInfo();
  const memory = process.memoryUsage();
  const entries: [string, string][] = [
    ["zookeeper.version", FULL_VERSION],
    ["host.name", os.hostname()],
    ["java.version", "<NA>"],
    ["java.vendor", `Node.js ${process.version}`],
    ["java.home", process.execPath],
    ["java.class.path", "<NA>"],
    ["java.library.path", "<NA>"],
    ["java.io.tmpdir", os.tmpdir()],
    ["java.compiler", "<NA>"],
    ["os.name", os.type()],
    ["os.arch", os.arch()],
    ["os.version", os.release()],
    ["user.name", user.username],
    ["user.home", user.homedir],
    ["user.dir", process.cwd()],
    ["os.memory.free", `${Math.floor((memory.heapTotal - memory.heapUsed) / MIB)}MB`],
    ["os.memory.max", `${Math.floor(os.totalmem() / MIB)}MB`],
    ["os.memory.total", `${Math.floor(memory.rss / MIB)}MB`],
  ];
  return `Environment:\n${entries.map(([key, value]) => `${key}=${value}\n`).join("")}`;
}

/** An account without an entry in the user database has no name. */
function userInfo(): { username: string; homedir: string } {
  try {
    return os.userInfo();
  } catch {
    return { username: "<NA>", homedir: os.homedir() };
  }
}
