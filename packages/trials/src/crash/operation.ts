/** What a writer asks for, and how that goes over the wire. Every operation has one stamp: the zxid that it turns out to get. */
import { type Codec, record } from "@vivarium/jute";
import {
  CheckVersionRequest,
  CreateRequest,
  DeleteRequest,
  type MultiOp,
  MultiRequest,
  OPEN_ACL_UNSAFE,
  OpCode,
  SetDataRequest,
} from "@vivarium/protocol";

export type Change =
  | { kind: "create"; path: string; data: Uint8Array; ephemeral: boolean; sequential: boolean; withStat: boolean }
  | { kind: "setData"; path: string; data: Uint8Array; version: number }
  | { kind: "delete" | "check"; path: string; version: number };

export type Action = Change | { kind: "multi"; changes: Change[] } | { kind: "closeSession" };

/** The zxid of an operation: known once it was acknowledged, or seen in a Stat after a crash. */
export interface Stamp {
  zxid: number | undefined;
}

export interface Operation {
  readonly action: Action;
  readonly stamp: Stamp;
  /** The session that asks, and owns the ephemeral nodes that this creates. */
  readonly sessionId: bigint;
}

export interface WireRequest<T> {
  readonly type: number;
  readonly codec: Codec<T>;
  readonly body: T;
}

const EMPTY = record({});
const createFlags = (change: { ephemeral: boolean; sequential: boolean }) =>
  (change.ephemeral ? 1 : 0) + (change.sequential ? 2 : 0);

function multiOp(change: Change): MultiOp {
  switch (change.kind) {
    case "create": {
      const { path, data, withStat } = change;
      const type = withStat ? OpCode.create2 : OpCode.create;
      return { type, path, data, acl: OPEN_ACL_UNSAFE, flags: createFlags(change) };
    }
    case "setData":
      return { type: OpCode.setData, path: change.path, data: change.data, version: change.version };
    case "delete":
      return { type: OpCode.delete, path: change.path, version: change.version };
    case "check":
      return { type: OpCode.check, path: change.path, version: change.version };
  }
}

// biome-ignore lint/suspicious/noExplicitAny: multiOp gives each type the fields of its codec.
const codecs: Record<number, Codec<any>> = {
  [OpCode.create]: CreateRequest,
  [OpCode.create2]: CreateRequest,
  [OpCode.setData]: SetDataRequest,
  [OpCode.delete]: DeleteRequest,
  [OpCode.check]: CheckVersionRequest,
};

/** `check` alone is no request of the protocol; writers use it inside a multi. */
export function wireRequest(action: Action): WireRequest<unknown> {
  if (action.kind === "closeSession") return { type: OpCode.closeSession, codec: EMPTY as Codec<unknown>, body: {} };
  if (action.kind === "multi") {
    return { type: OpCode.multi, codec: MultiRequest as Codec<unknown>, body: action.changes.map(multiOp) };
  }
  const body = multiOp(action);
  return { type: body.type, codec: codecs[body.type] as Codec<unknown>, body };
}
