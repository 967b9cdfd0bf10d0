/** A small replicated state for tests of storage: nodes, sessions and ACLs in maps, without any of a tree's rules. */
import { Writer } from "@vivarium/jute";
import {
  type ACL,
  digestFromBigInt,
  OpCode,
  type SnapshotSink,
  type SnapshotSource,
  StatPersisted,
  type Txn,
  writeTxn,
  type Zxid,
  type ZxidDigest,
} from "@vivarium/protocol";
import type { StateBuilder } from "../index.ts";

export interface TestNode {
  data: Uint8Array | null;
  aclId: number;
  stat: StatPersisted;
}

export class TestState {
  readonly nodes = new Map<string, TestNode>();
  readonly sessions = new Map<bigint, number>();
  readonly acls = new Map<number, ACL[]>();
  readonly txns: Txn[] = [];
  digest: ZxidDigest | null = null;
  lastZxid: Zxid = 0;

  apply(txn: Txn): void {
    const { zxid, clientId } = txn.header;
    this.lastZxid = Math.max(this.lastZxid, zxid);
    this.txns.push(txn);
    if (txn.body.type === OpCode.create) {
      this.nodes.set(txn.body.path, { data: txn.body.data, aclId: -1, stat: statOf(zxid) });
    } else if (txn.body.type === OpCode.createSession) {
      this.sessions.set(clientId, txn.body.timeOut);
    } else if (txn.body.type === OpCode.closeSession) {
      this.sessions.delete(clientId);
    }
  }

  /** The paths that `createEntry` made. */
  createdZxids(): Zxid[] {
    return [...this.nodes.keys()].filter((path) => path !== "").map((path) => Number(path.slice(2)));
  }

  source(): SnapshotSource {
    const waiting = [...this.nodes.keys()];
    const { nodes, sessions, acls, digest, lastZxid } = this;
    return {
      zxid: lastZxid,
      sessions,
      sessionCount: sessions.size,
      acls,
      aclCount: acls.size,
      writeNodes(writer, untilBytes) {
        while (writer.length < untilBytes) {
          const path = waiting.shift();
          if (path === undefined) return false;
          const node = nodes.get(path) as TestNode;
          writer.ustring(path);
          writer.buffer(node.data);
          writer.number(node.aclId);
          StatPersisted.write(writer, node.stat);
        }
        return true;
      },
      digest: () => digest,
      lastProcessedZxid: () => this.lastZxid,
      close() {},
    };
  }
}

export const testStateBuilder: StateBuilder<TestState> = {
  createEmpty: () => new TestState(),
  createSink() {
    const state = new TestState();
    const sink: SnapshotSink & { finish(): TestState } = {
      session: (id, timeoutMs) => void state.sessions.set(id, timeoutMs),
      acl: (id, acl) => void state.acls.set(id, acl),
      node({ path, data, aclId, stat }) {
        state.nodes.set(new TextDecoder().decode(path), { data: data?.slice() ?? null, aclId, stat });
      },
      digest(digest) {
        state.digest = digest;
      },
      finish: () => state,
    };
    return sink;
  },
  apply: (state, txn) => state.apply(txn),
};

function statOf(zxid: Zxid): StatPersisted {
  return {
    czxid: zxid,
    mzxid: zxid,
    ctime: 0,
    mtime: 0,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n,
    pzxid: zxid,
  };
}

/** An entry that creates the node /n<zxid> with data that a torn sector cannot imitate. */
export function createEntry(zxid: Zxid, dataBytes = 20): Uint8Array {
  const writer = new Writer();
  const data = new Uint8Array(dataBytes);
  for (let i = 0; i < dataBytes; i++) data[i] = ((zxid * 31 + i * 7) % 255) + 1;
  writeTxn(writer, {
    header: { clientId: 0x1234n, cxid: zxid % 1000, zxid, time: 1_700_000_000_000, type: OpCode.create },
    body: { type: OpCode.create, path: `/n${zxid}`, data, acl: [], ephemeral: false, parentCVersion: zxid % 1000 },
    digest: digestFromBigInt(BigInt(zxid) * 977n),
  });
  return writer.copy();
}
