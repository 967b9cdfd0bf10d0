/**
 * The fuzz trial: a server gets malformed frames over many connections while one well-behaved client works on it. That
 * client must never see an error, and the server's memory must stay below a bound.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRequest, OPEN_ACL_UNSAFE, OpCode } from "@vivarium/protocol";
import { SeededRandom } from "@vivarium/runtime";
import { RawClient } from "../raw-client.ts";
import { freePort, ServerProcess } from "../server-process.ts";
import { Assailant, Hanging } from "./assailant.ts";
import { BAD_ROOT } from "./valid-requests.ts";
import { WellBehavedClient } from "./well-behaved.ts";

export interface FuzzOptions {
  readonly frames: number;
  readonly seed: number;
  /** Resident memory that the server must not exceed, in bytes. */
  readonly maxResidentBytes: number;
  /** Called about once a second. */
  readonly onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  frames: number;
  connections: number;
  /** Frames sent of each kind. */
  readonly kinds: Map<string, number>;
  /** Requests of the well-behaved client, all answered as they should be, and the longest wait for one. */
  answered: number;
  longestMs: number;
  residentBytesAtStart: number;
  residentBytesMax: number;
  serverLogLines: number;
}

const ASSAILANTS = 24;
const HANGING = 64;
const SAMPLE_MS = 250;

/** @throws Error with the seed if the well-behaved client, the memory or the server's end is not as it should be */
export async function fuzzTrial(options: FuzzOptions): Promise<FuzzReport> {
  const dataDir = mkdtempSync(join(tmpdir(), "vivarium-fuzz-"));
  const port = await freePort();
  const server = new ServerProcess({ dataDir, port, settings: { maxClientCnxns: 0 } });
  try {
    await server.serving();
    const report = await assailServer(server, options);
    const ended = await server.stop();
    if (ended !== "exit code 0") throw new Error(`SIGTERM ended the server with ${ended}`);
    return report;
  } catch (error) {
    const cause = error as Error;
    throw new Error(`${cause.message}\nseed ${options.seed}\nthe server's last words:\n${server.output.slice(-3000)}`, {
      cause,
    });
  } finally {
    await server.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function assailServer(server: ServerProcess, options: FuzzOptions): Promise<FuzzReport> {
  const { port } = server;
  const client = await RawClient.connect({ port });
  await client.request(OpCode.create, CreateRequest, { path: BAD_ROOT, data: null, acl: OPEN_ACL_UNSAFE, flags: 0 });
  client.destroy();

  const good = await WellBehavedClient.connect(port);
  const resident = server.residentBytes ?? 0;
  const report: FuzzReport = {
    frames: 0,
    connections: 0,
    kinds: new Map(),
    answered: 0,
    longestMs: 0,
    residentBytesAtStart: resident,
    residentBytesMax: resident,
    serverLogLines: 0,
  };
  const sample = () => {
    report.answered = good.answered;
    report.longestMs = good.longestMs;
    report.residentBytesMax = Math.max(report.residentBytesMax, server.residentBytes ?? 0);
    report.serverLogLines = server.outputLines;
    options.onProgress?.(report);
  };
  const sampling = setInterval(sample, SAMPLE_MS);
  try {
    const working = good.work();
    await Promise.race([
      sendAll(port, options, report),
      working.then(() => Promise.reject(new Error("it stopped working"))),
    ]);
    good.stop();
    await working;
  } finally {
    clearInterval(sampling);
  }
  sample();
  if (report.residentBytesMax > options.maxResidentBytes) {
    throw new Error(`the server held ${report.residentBytesMax} bytes, more than ${options.maxResidentBytes}`);
  }
  return report;
}

/** Sends all frames, from several connections at a time. */
async function sendAll(port: number, { frames, seed }: FuzzOptions, report: FuzzReport): Promise<void> {
  const random = new SeededRandom(seed);
  const hanging = new Hanging(HANGING);
  const assail = async (assailant: Assailant) => {
    while (report.frames < frames) {
      const sent = await assailant.assail(frames - report.frames);
      report.frames += sent.length;
      report.connections++;
      for (const name of sent) report.kinds.set(name, (report.kinds.get(name) ?? 0) + 1);
    }
  };
  const assailants = Array.from(
    { length: ASSAILANTS },
    (_, i) => new Assailant(port, random.fork(`assailant ${i}`), hanging),
  );
  try {
    await Promise.all(assailants.map(assail));
  } finally {
    hanging.clear();
  }
}
