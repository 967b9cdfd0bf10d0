/**
 * multi and multiRead: a list of { header, record } ended by a header that says done.
 *
 *   request  = { MultiHeader(type, false, -1) request-record }* MultiHeader(-1, true, -1)
 *   response = { MultiHeader(type, false, err) result-record }* MultiHeader(-1, true, -1)
 */
import {
  bool,
  buffer,
  type Codec,
  type Infer,
  int,
  ProtocolError,
  type Reader,
  record,
  ustring,
  vector,
  type Writer,
} from "@vivarium/jute";
import { OpCode, opName } from "./op-code.ts";
import {
  CheckVersionRequest,
  CreateRequest,
  CreateTTLRequest,
  DeleteRequest,
  SetDataRequest,
  WatchedPathRequest,
} from "./records.ts";
import { Stat } from "./stat.ts";

export const MultiHeader = record({ type: int, done: bool, err: int });
export type MultiHeader = Infer<typeof MultiHeader>;
const END: MultiHeader = { type: -1, done: true, err: -1 };

export type MultiOp =
  | ({ type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer } & CreateRequest)
  | ({ type: typeof OpCode.createTTL } & CreateTTLRequest)
  | ({ type: typeof OpCode.delete } & DeleteRequest)
  | ({ type: typeof OpCode.setData } & SetDataRequest)
  | ({ type: typeof OpCode.check } & CheckVersionRequest)
  | ({ type: typeof OpCode.getData | typeof OpCode.getChildren } & WatchedPathRequest);

// biome-ignore lint/suspicious/noExplicitAny: each entry's type is given back by MultiOp.
const requests: Record<number, Codec<any>> = {
  [OpCode.create]: CreateRequest,
  [OpCode.create2]: CreateRequest,
  [OpCode.createContainer]: CreateRequest,
  [OpCode.createTTL]: CreateTTLRequest,
  [OpCode.delete]: DeleteRequest,
  [OpCode.setData]: SetDataRequest,
  [OpCode.check]: CheckVersionRequest,
  [OpCode.getData]: WatchedPathRequest,
  [OpCode.getChildren]: WatchedPathRequest,
};

export const MultiRequest: Codec<MultiOp[]> = {
  write(writer, ops) {
    for (const op of ops) {
      MultiHeader.write(writer, { type: op.type, done: false, err: -1 });
      (requests[op.type] as Codec<MultiOp>).write(writer, op);
    }
    MultiHeader.write(writer, END);
  },
  read(reader) {
    const ops: MultiOp[] = [];
    for (let header = MultiHeader.read(reader); !header.done; header = MultiHeader.read(reader)) {
      const codec = requests[header.type];
      if (codec === undefined) throw new ProtocolError(`${opName(header.type)} cannot be part of a multi`);
      ops.push({ type: header.type, ...codec.read(reader) });
    }
    return ops;
  },
};

export type MultiResult =
  | { type: typeof OpCode.create; path: string }
  | { type: typeof OpCode.create2; path: string; stat: Stat }
  | { type: typeof OpCode.delete | typeof OpCode.check }
  | { type: typeof OpCode.setData; stat: Stat }
  | { type: typeof OpCode.getChildren; children: string[] }
  | { type: typeof OpCode.getData; data: Uint8Array | null; stat: Stat }
  | { type: typeof OpCode.error; err: number };

// biome-ignore lint/suspicious/noExplicitAny: each entry's type is given back by MultiResult.
const results: Record<number, Codec<any>> = {
  [OpCode.create]: record({ path: ustring }),
  [OpCode.create2]: record({ path: ustring, stat: Stat }),
  [OpCode.delete]: record({}),
  [OpCode.check]: record({}),
  [OpCode.setData]: record({ stat: Stat }),
  [OpCode.getChildren]: record({ children: vector(ustring) }),
  [OpCode.getData]: record({ data: buffer, stat: Stat }),
  [OpCode.error]: record({ err: int }),
};

export const MultiResponse: Codec<MultiResult[]> = {
  write(writer, values) {
    for (const value of values) writeMultiResult(writer, value);
    MultiHeader.write(writer, END);
  },
  read(reader) {
    const values: MultiResult[] = [];
    for (let header = MultiHeader.read(reader); !header.done; header = MultiHeader.read(reader)) {
      values.push(readMultiResult(reader, header));
    }
    return values;
  },
};

function writeMultiResult(writer: Writer, value: MultiResult): void {
  const err = value.type === OpCode.error ? value.err : 0;
  MultiHeader.write(writer, { type: value.type, done: false, err });
  (results[value.type] as Codec<MultiResult>).write(writer, value);
}

function readMultiResult(reader: Reader, header: MultiHeader): MultiResult {
  const codec = results[header.type];
  if (codec === undefined) throw new ProtocolError(`${opName(header.type)} cannot be the result of a multi`);
  return { type: header.type, ...codec.read(reader) };
}
