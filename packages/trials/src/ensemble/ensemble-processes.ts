/** Three `vivarium server` processes that are one ensemble on loopback, each with a directory of its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fourLetterWord } from "../four-letter-word.ts";
import { freePort, ServerProcess } from "../server-process.ts";

export type Settings = Readonly<Record<string, string | number>>;

interface Member {
  readonly id: number;
  readonly port: number;
  readonly dataDir: string;
  readonly configFile: string;
  process: ServerProcess | null;
}

const SIZE = 3;
const CONFIG = ["tickTime=2000", "initLimit=10", "syncLimit=5", "4lw.commands.whitelist=*", "maxClientCnxns=0"];
const LEADER_DEADLINE_MS = 20_000;

export class EnsembleProcesses {
  readonly members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.members = members;
  }

  /** Makes the directories below `home`; nothing is started. */
  static async create(home: string): Promise<EnsembleProcesses> {
    const members: Member[] = [];
    const lines = [...CONFIG];
    for (let id = 1; id <= SIZE; id++) {
      const dataDir = join(home, `server-${id}`);
      members.push({ id, port: await freePort(), dataDir, configFile: join(dataDir, "zoo.cfg"), process: null });
      lines.push(`server.${id}=127.0.0.1:${await freePort()}:${await freePort()}`);
    }
    for (const { id, dataDir, configFile } of members) {
      mkdirSync(dataDir);
      writeFileSync(join(dataDir, "myid"), `${id}\n`);
      writeFileSync(configFile, `${lines.join("\n")}\n`);
    }
    return new EnsembleProcesses(members);
  }

  get running(): readonly Member[] {
    return this.members.filter(({ process }) => process !== null);
  }

  /** The last words of each member. */
  get lastWords(): string {
    return this.members.map(({ id, process }) => `server ${id}:\n${lastWordsOf(process?.output ?? "")}`).join("\n");
  }

  start(member: Member, settings: Settings): void {
    const { dataDir, port, configFile } = member;
    member.process = new ServerProcess({ dataDir, port, configFile, settings });
  }

  /** SIGKILL. */
  async kill(member: Member): Promise<void> {
    await member.process?.kill();
    member.process = null;
  }

  /** The member that says it leads, once there is one. @throws Error when nobody does for long */
  async leader(): Promise<Member> {
    const deadline = performance.now() + LEADER_DEADLINE_MS;
    while (performance.now() < deadline) {
      for (const member of this.running) {
        const said = await fourLetterWord(member.port, "srvr").catch(() => "");
        if (said.includes("Mode: leader")) return member;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`no member leads within ${LEADER_DEADLINE_MS} ms`);
  }
}

export type { Member };

/** The end of what was said; but with the first complaint, what led to it. */
function lastWordsOf(output: string): string {
  const complaint = output.indexOf(" ERROR ");
  return complaint < 0 ? output.slice(-2000) : output.slice(Math.max(0, complaint - 2000), complaint + 500);
}
