/** A state that keeps what it is told, and gives it back in the same order: so a stream can be compared byte by byte. */
import type { Writer } from "@vivarium/jute";
import {
  type ACL,
  SnapshotNode,
  type SnapshotSink,
  type SnapshotSource,
  StatPersisted,
  ZERO_STAT,
} from "@vivarium/protocol";

export interface SmallNode {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly aclId: number;
  readonly stat: StatPersisted;
}

export class SmallState implements SnapshotSink {
  readonly sessions: [bigint, number][] = [];
  readonly acls: [number, ACL[]][] = [];
  readonly nodes: SmallNode[] = [];
  isClosed = false;

  /** With `count` nodes of `dataBytes` bytes each. */
  static filled(count: number, dataBytes: number): SmallState {
    const state = new SmallState();
    state.session(0x7n, 4000);
    state.node(SnapshotNode.of(new Uint8Array(0), null, -1, ZERO_STAT));
    for (let i = 0; i < count; i++) {
      const data = new Uint8Array(dataBytes).fill(i);
      state.node(SnapshotNode.of(Buffer.from(`/n${i}`), data, -1, { ...ZERO_STAT, czxid: i }));
    }
    return state;
  }

  session(sessionId: bigint, timeoutMs: number): void {
    this.sessions.push([sessionId, timeoutMs]);
  }

  acl(aclId: number, acl: ACL[]): void {
    this.acls.push([aclId, acl]);
  }

  node({ path, data, aclId, stat }: SnapshotNode): void {
    const ownData = data === null ? null : Uint8Array.from(data);
    this.nodes.push({ path: Buffer.from(path).toString("utf8"), data: ownData, aclId, stat });
  }

  digest(): void {}

  source(): SnapshotSource {
    let next = 0;
    const writeNodes = (writer: Writer, untilBytes: number): boolean => {
      for (; writer.length < untilBytes; next++) {
        const node = this.nodes[next];
        if (node === undefined) return false;
        writer.ustring(node.path);
        writer.buffer(node.data);
        writer.number(node.aclId);
        StatPersisted.write(writer, node.stat);
      }
      return true;
    };
    return {
      zxid: 0,
      sessions: this.sessions,
      sessionCount: this.sessions.length,
      acls: this.acls,
      aclCount: this.acls.length,
      writeNodes,
      digest: () => null,
      lastProcessedZxid: () => 0,
      close: () => {
        this.isClosed = true;
      },
    };
  }
}
