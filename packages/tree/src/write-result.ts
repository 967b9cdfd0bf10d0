/**
 * The reply to a write, once its transaction is applied. Must be written before the next transaction is applied:
 * outside a multi the Stat is taken from the node as it is now. @see FinalRequestProcessor
 */
import type { Writer } from "@vivarium/jute";
import { ErrorCode, MultiHeader, OpCode } from "@vivarium/protocol";
import { writeData, writeStat } from "./node-reply.ts";
import type { NodeId, NodeStore } from "./node-store.ts";

/** What applying a transaction gave. @see TxnResult */
export interface AppliedTxn {
  /** Type of the transaction; `error` for the parts of a multi that failed. */
  readonly type: number;
  readonly err: number;
  readonly path?: string | undefined;
  /** The node created or changed. */
  readonly node: NodeId;
  /** Their Stat, for those that have changed again since: parts of a multi, and the node of a quota's counts. */
  readonly stat?: Uint8Array | undefined;
  readonly results?: readonly AppliedTxn[] | undefined;
}

/**
 * Appends the reply's body and returns the ErrorCode of its header; unless it is OK there is no body. SESSIONMOVED is
 * no reply at all: the connection must be closed.
 */
export function writeResult(writer: Writer, nodes: NodeStore, requestType: number, result: AppliedTxn): number {
  if (requestType === OpCode.multi && result.results !== undefined) return writeMulti(writer, nodes, result.results);
  if (result.err !== ErrorCode.OK) return result.err;
  switch (requestType) {
    case OpCode.create:
      writer.ustring(result.path ?? "");
      break;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      writer.ustring(result.path ?? "");
      writeStatOf(writer, nodes, result);
      break;
    case OpCode.setData:
    case OpCode.setACL:
      writeStat(writer, nodes, result.node);
      break;
    case OpCode.reconfig:
      writeData(writer, nodes, result.node);
      writeStat(writer, nodes, result.node);
      break;
  }
  return ErrorCode.OK;
}

/** A multi that failed is still a reply without error: what failed is said part by part. */
function writeMulti(writer: Writer, nodes: NodeStore, results: readonly AppliedTxn[]): number {
  if (results.some((part) => part.err === ErrorCode.SESSIONMOVED)) return ErrorCode.SESSIONMOVED;
  for (const part of results) writePart(writer, nodes, part);
  MultiHeader.write(writer, { type: -1, done: true, err: -1 });
  return ErrorCode.OK;
}

function writePart(writer: Writer, nodes: NodeStore, part: AppliedTxn): void {
  const type = resultType(part.type);
  MultiHeader.write(writer, { type, done: false, err: part.err });
  if (type === OpCode.error) writer.int(part.err);
  if (type === OpCode.create || type === OpCode.create2) writer.ustring(part.path ?? "");
  if (type !== OpCode.create2 && type !== OpCode.setData) return;
  writeStatOf(writer, nodes, part);
}

function writeStatOf(writer: Writer, nodes: NodeStore, { node, stat }: AppliedTxn): void {
  if (stat !== undefined) writer.raw(stat);
  else writeStat(writer, nodes, node);
}

/** Containers and TTL nodes answer like create2. */
function resultType(type: number): number {
  return type === OpCode.createContainer || type === OpCode.createTTL ? OpCode.create2 : type;
}
