/** Storage on a disk of its own, with a tree: for plays about files that need no ensemble. */
import { Writer } from "@vivarium/jute";
import { OPEN_ACL_UNSAFE, OpCode, type Txn, writeTxn, type Zxid } from "@vivarium/protocol";
import { MemoryDisk, SeededRandom, VirtualClock } from "@vivarium/runtime";
import { Storage, type StorageConfig } from "@vivarium/storage";
import { DataTree, NONE, SnapshotLoader } from "@vivarium/tree";

const TREE = { extendedTypes: true, emulate353Ttl: false, digest: true };
const FOLDER = "/data/version-2";

export class LoneStorage {
  readonly clock = new VirtualClock();
  readonly disk = new MemoryDisk({ clock: this.clock, random: new SeededRandom(1) });
  /** Digests that were not as the log or a snapshot says. */
  mismatches = 0;
  tree = new DataTree(TREE);
  #storage: Storage | null = null;

  get storage(): Storage {
    if (this.#storage === null) throw new Error("not open");
    return this.#storage;
  }

  /** Another life: what is on the disk becomes the tree. */
  async open(config: Partial<StorageConfig> = {}): Promise<void> {
    this.#storage = await this.wait(
      Storage.open({
        disk: this.disk,
        clock: this.clock,
        random: new SeededRandom(2),
        dataDir: "/data",
        holder: "the play",
        config: { preAllocSizeKb: 0, ...config },
        onFlushed: () => {},
        onFatal: (error) => {
          throw error;
        },
        onSnapshotDue: () => {},
        onWarning: () => {},
      }),
    );
    await this.recover();
  }

  async recover(): Promise<void> {
    const options = { ...TREE, onDigestMismatch: () => void this.mismatches++ };
    const { state } = await this.wait(
      this.storage.recover({
        createEmpty: () => new DataTree(options),
        createSink: (zxid: Zxid) => new SnapshotLoader(options, zxid),
        apply: (tree: DataTree, txn: Txn) => void tree.apply(txn),
      }),
    );
    this.tree = state;
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runUntil(promise);
  }

  /** Logs and applies a create of /n<zxid in hex>. */
  async write(...zxids: Zxid[]): Promise<void> {
    for (const zxid of zxids) {
      const txn = createTxn(zxid);
      const writer = new Writer();
      writeTxn(writer, txn);
      this.storage.append(writer.copy(), zxid);
      this.tree.apply(txn);
    }
    await this.wait(this.storage.drained());
  }

  async snapshot(): Promise<void> {
    await this.wait(this.storage.takeSnapshot(this.tree.snapshotSource()));
  }

  async close(): Promise<void> {
    await this.wait(this.storage.close());
    this.#storage = null;
  }

  has(zxid: Zxid): boolean {
    return this.tree.nodes.findPath(pathOf(zxid)) !== NONE;
  }

  /** Gives a file other bytes. */
  async spoil(name: string, spoilt: (bytes: Uint8Array) => Uint8Array): Promise<void> {
    const path = `${FOLDER}/${name}`;
    const before = await this.wait(this.disk.open(path, "read"));
    const bytes = new Uint8Array(await this.wait(before.size()));
    await this.wait(before.read(bytes, 0));
    await this.put(name, spoilt(bytes));
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const file = await this.wait(this.disk.open(`${FOLDER}/${name}`, "create"));
    await this.wait(file.write(bytes, 0));
    await this.wait(file.datasync());
    await this.wait(this.disk.syncDirectory(FOLDER));
  }

  remove(name: string): Promise<void> {
    return this.wait(this.disk.unlink(`${FOLDER}/${name}`));
  }
}

const pathOf = (zxid: Zxid): string => `/n${zxid.toString(16)}`;

function createTxn(zxid: Zxid): Txn {
  const header = { clientId: 1n, cxid: 1, zxid, time: 1, type: OpCode.create };
  const data = new Uint8Array([1, 2, 3]);
  const body = {
    type: OpCode.create,
    path: pathOf(zxid),
    data,
    acl: OPEN_ACL_UNSAFE,
    ephemeral: false,
    parentCVersion: -1,
  };
  return { header, body, digest: null };
}
