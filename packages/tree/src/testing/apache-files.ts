/** A bare reader of Apache's log and snapshot files for tests: no checksums, no torn tails, no snappy. */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Reader, vector } from "@vivarium/jute";
import { ACL, readTxn, SnapshotNode, type SnapshotSink, StatPersisted, type Txn } from "@vivarium/protocol";

const ROOT = new URL("../../../storage/src/testdata/apache-3.9.5/", import.meta.url);
const HEADER_BYTES = 16;
const SEAL_BYTES = 13;
const AclList = vector(ACL);

export interface ExpectedNode {
  data: string | null;
  acl: { perms: number; scheme: string; id: string }[];
  children: string[];
  stat: Record<string, string | number>;
}

export interface Expected {
  lastProcessedZxid: string;
  sessions: { sessionId: string; timeoutMs: number }[];
  tree: Record<string, ExpectedNode>;
}

export class ApacheDirectory {
  readonly #files: URL;
  readonly expected: Expected;

  constructor(name: string) {
    this.#files = new URL(`${name}/version-2/`, ROOT);
    this.expected = JSON.parse(readFileSync(new URL(`${name}/expected.json`, ROOT), "utf8"));
  }

  /** Hexadecimal zxids of the snapshots that this reader can read. */
  snapshots(): string[] {
    return readdirSync(this.#files)
      .filter((name) => name.startsWith("snapshot.") && !name.endsWith(".snappy"))
      .map((name) => name.slice("snapshot.".length));
  }

  /** All transactions of the directory from a zxid on. */
  txns(fromZxid: number): Txn[] {
    const names = readdirSync(this.#files).filter((name) => name.startsWith("log."));
    const first = (name: string) => Number.parseInt(name.slice("log.".length), 16);
    const logs = names.sort((a, b) => first(a) - first(b));
    return logs.flatMap((name) => [...this.#log(name)]).filter((txn) => txn.header.zxid >= fromZxid);
  }

  *#log(name: string): Iterable<Txn> {
    const reader = new Reader(readFileSync(new URL(name, this.#files)), HEADER_BYTES);
    while (reader.remaining > 12) {
      reader.long();
      const length = reader.int();
      if (length === 0) return;
      const start = reader.skip(length + 1);
      yield readTxn(new Reader(reader.bytes, start, start + length));
    }
  }

  readSnapshot(name: string, sink: SnapshotSink): void {
    const file = readFileSync(new URL(`snapshot.${name}`, this.#files));
    const reader = new Reader(name.endsWith(".gz") ? gunzipSync(file) : file, HEADER_BYTES);
    readSnapshotBody(reader, sink);
    reader.skip(SEAL_BYTES - 5);
    if (reader.remaining < 20 + SEAL_BYTES) return;
    const zxid = reader.number();
    reader.int();
    sink.digest({ zxid, treeDigest: reader.long() });
  }
}

/** Sessions, ACL table and nodes up to and with the "/" behind the last. */
function readSnapshotBody(reader: Reader, sink: SnapshotSink): void {
  for (let left = reader.int(); left > 0; left--) sink.session(reader.long(), reader.int());
  for (let left = reader.int(); left > 0; left--) sink.acl(reader.number(), AclList.read(reader));
  readNodes(reader, sink);
}

/** Node records until a path is "/" or nothing is left. */
export function readNodes(reader: Reader, sink: SnapshotSink): void {
  while (reader.remaining > 0) {
    const path = reader.bufferView() ?? new Uint8Array();
    if (path.length === 1) return;
    const data = reader.bufferView();
    sink.node(SnapshotNode.of(path, data, reader.number(), StatPersisted.read(reader)));
  }
}
