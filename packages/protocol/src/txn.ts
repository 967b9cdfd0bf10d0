/**
 * Transactions: what a write request becomes once it is decided, what the log keeps and what followers receive.
 *
 *   entry = TxnHeader | body by type (see the codecs) | TxnDigest, optional
 *
 * A body says what to do, never what to check, so that every server applies it alike.
 * @see zookeeper.jute package txn; SerializeUtils for the old forms that must still be read
 */
import {
  bool,
  bufferView,
  type Codec,
  handWritten,
  type Infer,
  int,
  long,
  number,
  ProtocolError,
  type Reader,
  record,
  ustring,
  vector,
  type Writer,
} from "@vivarium/jute";
import { ACL, readAcl, writeAcl } from "./acl.ts";
import { OpCode, opName } from "./op-code.ts";

export const TxnHeader = handWritten(
  {
    /** The session that asked; 0 for the server's own. */
    clientId: long,
    /** The client's xid; 0 for the server's own. */
    cxid: int,
    zxid: number,
    /** Milliseconds since 1970 by the leader's clock: the only time that `apply` knows. */
    time: number,
    type: int,
  },
  {
    write(writer, { clientId, cxid, zxid, time, type }) {
      writer.reserve(TXN_HEADER_BYTES);
      writer.long(clientId);
      writer.int(cxid);
      writer.number(zxid);
      writer.number(time);
      writer.int(type);
    },
    read(reader) {
      const clientId = reader.long();
      const cxid = reader.int();
      const zxid = reader.number();
      const time = reader.number();
      return { clientId, cxid, zxid, time, type: reader.int() };
    },
  },
);
export type TxnHeader = Infer<typeof TxnHeader>;
export const TXN_HEADER_BYTES = 32;

/** The tree's digest after a transaction (digest version 2): a 64-bit integer in two halves, signed as int is. */
export const TxnDigest = handWritten(
  { version: int, high: int, low: int },
  {
    write(writer, { version, high, low }) {
      writer.int(version);
      writer.int(high);
      writer.int(low);
    },
    read(reader) {
      const version = reader.int();
      const high = reader.int();
      return { version, high, low: reader.int() };
    },
  },
);
export type TxnDigest = Infer<typeof TxnDigest>;
export const DIGEST_VERSION = 2;
export const TXN_DIGEST_BYTES = 12;

/** The digest as one integer, signed. */
export function digestToBigInt({ high, low }: { high: number; low: number }): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

/** A digest of version 2 from one integer. */
export function digestFromBigInt(value: bigint): TxnDigest {
  const [high, low] = [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
  return { version: DIGEST_VERSION, high, low };
}

const CreateSessionBody = record({ timeOut: int });
const CloseSessionBody = record({ paths2Delete: vector(ustring) });
const CreateBodyV0 = record({ path: ustring, data: bufferView, acl: vector(ACL), ephemeral: bool });
const CreateBody = handWritten(
  { ...CreateBodyV0.fields, parentCVersion: int },
  {
    write(writer, { path, data, acl, ephemeral, parentCVersion }) {
      writer.ustring(path);
      writer.buffer(data);
      writeAcl(writer, acl);
      writer.bool(ephemeral);
      writer.int(parentCVersion);
    },
    read(reader) {
      const path = reader.ustring();
      const data = reader.bufferView();
      const acl = readAcl(reader);
      const ephemeral = reader.bool();
      return { path, data, acl, ephemeral, parentCVersion: reader.int() };
    },
  },
);
const CreateContainerBody = record({ path: ustring, data: bufferView, acl: vector(ACL), parentCVersion: int });
const CreateTTLBody = record({ ...CreateContainerBody.fields, ttl: number });
const DeleteBody = record({ path: ustring });
const SetDataBody = handWritten(
  { path: ustring, data: bufferView, version: int },
  {
    write(writer, { path, data, version }) {
      writer.ustring(path);
      writer.buffer(data);
      writer.int(version);
    },
    read(reader) {
      const path = reader.ustring();
      const data = reader.bufferView();
      return { path, data, version: reader.int() };
    },
  },
);
const SetACLBody = record({ path: ustring, acl: vector(ACL), version: int });
const CheckVersionBody = record({ path: ustring, version: int });
const ErrorBody = record({ err: int });

/** For the test that compares them with their fields. */
export const handWrittenRecords = { TxnHeader, TxnDigest, CreateBody, SetDataBody };

/** Not on the wire: what whoever decided the transaction found out, and whoever applies it here need not again. */
interface Precomputed {
  /** The checksum of the node's path and data, from which its digest continues. */
  prefixCrc?: number;
  /** The node's digest once this is applied, unsigned. */
  digest?: number;
  /** The same of the parent of a node that is created. */
  parentDigest?: number;
  /**
   * The id of the node that changes, or of the parent of one that is created, or -1; good while the tree has removed no
   * node since it had removed `removals`.
   */
  node?: number;
  removals?: number;
}

export type CreateSessionTxn = { type: typeof OpCode.createSession } & Infer<typeof CreateSessionBody>;
export type CloseSessionTxn = { type: typeof OpCode.closeSession } & Infer<typeof CloseSessionBody>;
/** `parentCVersion` is the parent's new count of creates, or -1 for "one more" (logs older than 3.4). */
export type CreateTxn = { type: typeof OpCode.create | typeof OpCode.create2 } & Infer<typeof CreateBody> & Precomputed;
export type CreateContainerTxn = { type: typeof OpCode.createContainer } & Infer<typeof CreateContainerBody> &
  Precomputed;
export type CreateTTLTxn = { type: typeof OpCode.createTTL } & Infer<typeof CreateTTLBody> & Precomputed;
export type DeleteTxn = { type: typeof OpCode.delete | typeof OpCode.deleteContainer } & Infer<typeof DeleteBody>;
/** `version` is the new one. */
export type SetDataTxn = { type: typeof OpCode.setData | typeof OpCode.reconfig } & Infer<typeof SetDataBody> &
  Precomputed;
/** `version` is the new aversion. */
export type SetACLTxn = { type: typeof OpCode.setACL } & Infer<typeof SetACLBody>;
export type CheckVersionTxn = { type: typeof OpCode.check } & Infer<typeof CheckVersionBody>;
export type ErrorTxn = { type: typeof OpCode.error } & Infer<typeof ErrorBody>;
export type MultiTxn = { type: typeof OpCode.multi; txns: TxnBody[] };

export type TxnBody =
  | CreateSessionTxn
  | CloseSessionTxn
  | CreateTxn
  | CreateContainerTxn
  | CreateTTLTxn
  | DeleteTxn
  | SetDataTxn
  | SetACLTxn
  | CheckVersionTxn
  | ErrorTxn
  | MultiTxn;

export interface Txn {
  header: TxnHeader;
  body: TxnBody;
  /** Null when the writer computed none. */
  digest: TxnDigest | null;
}

// biome-ignore lint/suspicious/noExplicitAny: each entry's type is given back by TxnBody.
const bodies: Record<number, Codec<any>> = {
  [OpCode.createSession]: CreateSessionBody,
  [OpCode.closeSession]: CloseSessionBody,
  [OpCode.create]: CreateBody,
  [OpCode.create2]: CreateBody,
  [OpCode.createContainer]: CreateContainerBody,
  [OpCode.createTTL]: CreateTTLBody,
  [OpCode.delete]: DeleteBody,
  [OpCode.deleteContainer]: DeleteBody,
  [OpCode.setData]: SetDataBody,
  [OpCode.reconfig]: SetDataBody,
  [OpCode.setACL]: SetACLBody,
  [OpCode.check]: CheckVersionBody,
  [OpCode.error]: ErrorBody,
};

function bodyCodec(type: number): Codec<unknown> {
  const codec = bodies[type];
  if (codec === undefined) throw new ProtocolError(`a transaction of unknown type: ${opName(type)}`);
  return codec;
}

export function writeTxnBody(writer: Writer, body: TxnBody): void {
  if (body.type !== OpCode.multi) {
    bodyCodec(body.type).write(writer, body);
    return;
  }
  writer.int(body.txns.length);
  for (const txn of body.txns) {
    writer.int(txn.type);
    const lengthAt = writer.reserve(4);
    writer.length += 4;
    writeTxnBody(writer, txn);
    writer.view.setInt32(lengthAt, writer.length - lengthAt - 4);
  }
}

export function writeTxn(writer: Writer, txn: Txn): void {
  TxnHeader.write(writer, txn.header);
  writeTxnBody(writer, txn.body);
  if (txn.digest !== null) TxnDigest.write(writer, txn.digest);
}

/**
 * Reads a whole entry: the reader's window must end where the entry does. The data in it are windows on the reader's
 * memory: whoever applies the transaction copies them, and whoever keeps it longer than that memory lasts must too.
 */
export function readTxn(reader: Reader): Txn {
  const header = TxnHeader.read(reader);
  const body = readTxnBody(reader, header.type);
  switch (reader.remaining) {
    case 0:
      return { header, body, digest: null };
    case TXN_DIGEST_BYTES:
      return { header, body, digest: TxnDigest.read(reader) };
    default:
      throw new ProtocolError(`${reader.remaining} bytes left over after a ${opName(header.type)} transaction`);
  }
}

function readTxnBody(reader: Reader, type: number): TxnBody {
  switch (type) {
    case OpCode.multi:
      return readMultiTxn(reader);
    case OpCode.closeSession:
      return readCloseSession(reader);
    case OpCode.create:
      return readCreate(reader);
    case OpCode.setData:
      return readSetData(reader);
    default:
      return { type, ...(bodyCodec(type).read(reader) as object) } as TxnBody;
  }
}

function readMultiTxn(reader: Reader): MultiTxn {
  const txns: TxnBody[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const type = reader.int();
    const size = reader.size();
    const outerEnd = reader.end;
    reader.end = reader.offset + Math.max(size, 0);
    const innerEnd = reader.end;
    txns.push(readTxnBody(reader, type));
    reader.offset = innerEnd;
    reader.end = outerEnd;
  }
  return { type: OpCode.multi, txns };
}

/**
 * Writers before 3.6, and those with closeSessionTxn.enabled=false, write no body, though perhaps a digest, whose first
 * int is then the digest version. Two paths of no length at all cannot be, so 12 bytes that start with 2 are a digest.
 */
function readCloseSession(reader: Reader): CloseSessionTxn {
  const type = OpCode.closeSession;
  const digestOnly = reader.remaining === TXN_DIGEST_BYTES && reader.view.getInt32(reader.offset) === DIGEST_VERSION;
  if (reader.remaining === 0 || digestOnly) return { type, paths2Delete: [] };
  return { type, ...CloseSessionBody.read(reader) };
}

function readSetData(reader: Reader): SetDataTxn {
  const { path, data, version } = SetDataBody.read(reader);
  return { type: OpCode.setData, path, data, version };
}

/** Logs of 3.3 and older have no parentCVersion, and then no digest either. */
function readCreate(reader: Reader): CreateTxn {
  const path = reader.ustring();
  const data = reader.bufferView();
  const acl = readAcl(reader);
  const ephemeral = reader.bool();
  const parentCVersion = reader.remaining === 0 ? -1 : reader.int();
  return { type: OpCode.create, path, data, acl, ephemeral, parentCVersion };
}
