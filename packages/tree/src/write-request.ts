/** Write requests as the wire brings them, in one shape for all ops so that what judges them stays fast. */
import { ProtocolError, type Reader } from "@vivarium/jute";
import {
  type ACL,
  CreateMode,
  type Id,
  isCreateMode,
  isTtl,
  MultiHeader,
  OpCode,
  opName,
  readAcl,
} from "@vivarium/protocol";

/** A write as the pipeline hands it over. `reader` holds the request record. */
export interface WriteRequest {
  /** 0 for the server's own. */
  readonly sessionId: bigint;
  /** The client's xid; 0 for the server's own. */
  readonly cxid: number;
  /** One of OpCode. */
  readonly type: number;
  readonly authInfo: readonly Id[];
  readonly reader: Reader;
}

/** One operation, alone or as part of a multi. What its type does not have is 0, null or empty. */
export interface WriteOp {
  readonly type: number;
  readonly path: string;
  /** The path was null, which is a record all the same; then `path` is empty. */
  readonly nullPath: boolean;
  /** The path as it came: bytes[pathAt, pathEnd). */
  readonly bytes: Uint8Array;
  readonly pathAt: number;
  readonly pathEnd: number;
  /** A window on the request's memory. */
  readonly data: Uint8Array | null;
  readonly acl: ACL[];
  readonly flags: number;
  readonly ttlMs: number;
  /** The version expected, -1 for any. */
  readonly version: number;
}

const LENGTH_BYTES = 4;
const NO_ACL: ACL[] = [];
const NO_DATA: Uint8Array | null = null;
/** What a create has in place of a TTL when its record carries none. */
const NO_TTL = -1;

/** Whether a request of this type is one operation, which `readWriteOp` reads. */
export function isSingleWrite(type: number): boolean {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.delete:
    case OpCode.deleteContainer:
    case OpCode.setData:
    case OpCode.setACL:
      return true;
    default:
      return false;
  }
}

/** @throws ProtocolError */
export function readWriteOp(type: number, reader: Reader): WriteOp {
  const { bytes } = reader;
  const pathAt = reader.offset + LENGTH_BYTES;
  const given = reader.nullableUstring();
  const pathEnd = reader.offset;
  // Of one shape for all types, so that what judges them stays fast.
  const op = {
    type,
    path: given ?? "",
    nullPath: given === null,
    bytes,
    pathAt,
    pathEnd,
    data: NO_DATA,
    acl: NO_ACL,
    flags: 0,
    ttlMs: 0,
    version: 0,
  };
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      op.data = reader.bufferView();
      op.acl = readAcl(reader);
      op.flags = reader.int();
      op.ttlMs = type === OpCode.createTTL ? Number(reader.long()) : NO_TTL;
      return op;
    case OpCode.setData:
      op.data = reader.bufferView();
      op.version = reader.int();
      return op;
    case OpCode.setACL:
      op.acl = readAcl(reader);
      op.version = reader.int();
      return op;
    case OpCode.delete:
    case OpCode.check:
      op.version = reader.int();
      return op;
    case OpCode.deleteContainer:
      op.version = -1;
      return op;
    default:
      throw new ProtocolError(`${opName(type)} is not a write`);
  }
}

/** The parts of a multi. @throws ProtocolError also for parts that a multi cannot have */
export function readMultiOps(reader: Reader): WriteOp[] {
  const ops: WriteOp[] = [];
  for (let header = MultiHeader.read(reader); !header.done; header = MultiHeader.read(reader)) {
    const op = readMultiOp(header.type, reader);
    if (op.nullPath) throw new ProtocolError("a null path in a multi");
    ops.push(op);
  }
  return ops;
}

function readMultiOp(type: number, reader: Reader): WriteOp {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer: {
      const op = readWriteOp(type, reader);
      if (!isCreateMode(op.flags) || isTtl(op.flags)) {
        throw new ProtocolError(`${opName(type)} in a multi cannot have the flags ${op.flags}`);
      }
      return op.flags === CreateMode.CONTAINER ? { ...op, type: OpCode.createContainer } : op;
    }
    case OpCode.createTTL:
      return flavoured(readWriteOp(type, reader));
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.check:
      return readWriteOp(type, reader);
    default:
      throw new ProtocolError(`${opName(type)} cannot be part of a multi`);
  }
}

/** In a multi the flags decide what a createTTL is, not the op code. @see Op.create */
function flavoured(op: WriteOp): WriteOp {
  if (isTtl(op.flags)) return op;
  const type = op.flags === CreateMode.CONTAINER ? OpCode.createContainer : OpCode.create;
  return { ...op, type, ttlMs: NO_TTL };
}
