/** The disks of a play: where the power fails, what fails and what is slow, and what is on them. */
import type { DiskOperation } from "@vivarium/runtime";
import type { ServerNode } from "../ensemble/server-node.ts";
import { StageCore } from "./stage-core.ts";

const FOLDER = "/data/version-2";

export class StageDisks extends StageCore {
  /** The power fails just before the next such operation of the disk, or just after it. */
  crashAt(
    server: ServerNode,
    when: "before" | "after",
    isIt: (operation: DiskOperation, path: string) => boolean,
  ): void {
    const { disk } = server.machine;
    const crash = (): void => this.powerOff(server);
    disk.crashPoint = { operationsLeft: 0, after: when === "after", crash, counts: isIt };
  }

  /** The power fails just after this file has its new name for good. */
  crashWhenStored(server: ServerNode, file: RegExp): void {
    let isRenamed = false;
    this.crashAt(server, "after", (operation, path) => {
      isRenamed ||= operation === "rename" && file.test(path);
      return isRenamed && operation === "syncDirectory";
    });
  }

  /** Operations for which `fails` gives a code fail with it; null: none does any more. */
  failDisk(server: ServerNode, fails: ((operation: DiskOperation, path: string) => string | null) | null): void {
    const { disk } = server.machine;
    disk.fault = (operation, path) => {
      const code = fails?.(operation, path) ?? null;
      if (code !== null) server.excuse();
      return code;
    };
  }

  /** Syncs of such files take so long from now on. */
  slowDisk(server: ServerNode, ms: number, file = /./): void {
    server.machine.disk.latencyMs = (operation, path) => (operation === "datasync" && file.test(path) ? ms : 0);
  }

  /** The files of a server in which these bytes are to be found. */
  async filesWith(server: ServerNode, text: string): Promise<string[]> {
    const { disk } = server.machine;
    return this.atItsDisk(server, async () => {
      const found: string[] = [];
      for (const name of await this.answer(disk.readDirectory(FOLDER))) {
        const bytes = await this.answer(this.#contentOf(server, `${FOLDER}/${name}`));
        if (bytes.includes(text)) found.push(name);
      }
      return found;
    });
  }

  /** A disk answers only who runs on its machine. */
  async atItsDisk<T>({ machine }: ServerNode, act: () => Promise<T>): Promise<T> {
    if (machine.runs) return act();
    machine.boot();
    const result = await act();
    machine.kill();
    return result;
  }

  async #contentOf({ machine }: ServerNode, path: string): Promise<Buffer> {
    const file = await machine.disk.open(path, "read");
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    return bytes;
  }

  /** A machine's disk is new and empty. */
  async wipe(server: ServerNode): Promise<void> {
    const { disk } = server.machine;
    await this.atItsDisk(server, async () => {
      for (const name of await this.answer(disk.readDirectory(FOLDER))) {
        await this.answer(disk.unlink(`${FOLDER}/${name}`));
      }
    });
  }

  /** All disks work again as they should. */
  protected mend(): void {
    for (const { machine } of this.servers) {
      machine.disk.fault = () => null;
      machine.disk.latencyMs = () => 0;
      machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
      machine.disk.crashPoint = null;
    }
  }
}
