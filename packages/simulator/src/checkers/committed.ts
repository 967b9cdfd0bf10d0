/** A committed transaction in the few words that checkers need. */
import { OpCode, type Txn, type TxnBody, type Zxid } from "@vivarium/protocol";

export type Effect =
  | { readonly kind: "create"; readonly path: string; readonly data: string; readonly owner: bigint }
  | { readonly kind: "setData"; readonly path: string; readonly data: string; readonly version: number }
  | { readonly kind: "delete"; readonly path: string };

export interface Committed {
  readonly zxid: Zxid;
  readonly sessionId: bigint;
  readonly cxid: number;
  readonly type: number;
  /** By the leader's clock. */
  readonly time: number;
  /** In order; empty for what failed and for what changes no node. */
  readonly effects: readonly Effect[];
  /** What a closeSession says it deletes. */
  readonly closes: readonly string[];
  /** Of the whole tree after it, as the first server had it that applied it; null as long as nobody is known to. */
  digest: bigint | null;
  /** World time at which a server first showed it to clients. */
  readonly atMs: number;
}

export function committedFrom(txn: Txn, digest: bigint | null, atMs: number): Committed {
  const { zxid, clientId: sessionId, cxid, type, time } = txn.header;
  const { body } = txn;
  const closes = body.type === OpCode.closeSession ? body.paths2Delete : [];
  return { zxid, sessionId, cxid, type, time, effects: effectsOf(body, sessionId), closes, digest, atMs };
}

function effectsOf(body: TxnBody, sessionId: bigint): Effect[] {
  switch (body.type) {
    case OpCode.create:
    case OpCode.create2:
      return [{ kind: "create", path: body.path, data: text(body.data), owner: body.ephemeral ? sessionId : 0n }];
    case OpCode.createContainer:
    case OpCode.createTTL:
      return [{ kind: "create", path: body.path, data: text(body.data), owner: 0n }];
    case OpCode.setData:
      return [{ kind: "setData", path: body.path, data: text(body.data), version: body.version }];
    case OpCode.delete:
    case OpCode.deleteContainer:
      return [{ kind: "delete", path: body.path }];
    case OpCode.multi:
      if (body.txns.some((part) => part.type === OpCode.error)) return [];
      return body.txns.flatMap((part) => effectsOf(part, sessionId));
    default:
      return [];
  }
}

export function text(data: Uint8Array | null): string {
  return data === null ? "" : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
}

/** Whether two servers speak of the same transaction. */
export function isSame(a: Committed, b: Committed): boolean {
  return (
    a.zxid === b.zxid && a.sessionId === b.sessionId && a.cxid === b.cxid && a.type === b.type && a.time === b.time
  );
}
