/**
 * Schemas. A codec is a value that both writes and reads one shape, and `record({...})` makes a codec of a list of
 * fields in wire order; the TypeScript type is derived from it, so shape and codec cannot disagree.
 */
import { ProtocolError } from "./protocol-error.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

export interface Codec<T> {
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

/** The TypeScript type that a codec carries. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

export const byte: Codec<number> = { write: (w, v) => w.byte(v), read: (r) => r.byte() };
export const bool: Codec<boolean> = { write: (w, v) => w.bool(v), read: (r) => r.bool() };
export const int: Codec<number> = { write: (w, v) => w.int(v), read: (r) => r.int() };
/** All 64 bits, as a bigint: session ids and owners. */
export const long: Codec<bigint> = { write: (w, v) => w.long(v), read: (r) => r.long() };
/** A 64-bit integer that fits a number: zxids and times. A larger one is refused. */
export const number: Codec<number> = { write: (w, v) => w.number(v), read: (r) => r.number() };
export const buffer: Codec<Uint8Array | null> = { write: (w, v) => w.buffer(v), read: (r) => r.buffer() };
/** As `buffer`, but what is read is a window on the reader's memory: copy it before keeping it. */
export const bufferView: Codec<Uint8Array | null> = { write: (w, v) => w.buffer(v), read: (r) => r.bufferView() };
export const ustring: Codec<string> = { write: (w, v) => w.ustring(v), read: (r) => r.ustring() };
export const nullableUstring: Codec<string | null> = {
  write: (w, v) => w.ustring(v),
  read: (r) => r.nullableUstring(),
};

/** A counted list; a null one reads as empty, because most ZooKeeper requests do not tell them apart. */
export function vector<T>(item: Codec<T>): Codec<T[]> {
  return vectorOf(item, (reader) => reader.count());
}

/** A counted list that must be there: a null one is refused. */
export function requiredVector<T>(item: Codec<T>): Codec<T[]> {
  return vectorOf(item, (reader) => {
    const count = reader.count();
    if (count === -1) throw new ProtocolError(`a null list where one is required, before offset ${reader.offset}`);
    return count;
  });
}

function vectorOf<T>(item: Codec<T>, countOf: (reader: Reader) => number): Codec<T[]> {
  return {
    write(writer, values) {
      writer.int(values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const values: T[] = [];
      for (let left = countOf(reader); left > 0; left--) values.push(item.read(reader));
      return values;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a field may carry any type; Infer gives it back exactly.
type Fields = Record<string, Codec<any>>;

export interface RecordCodec<F extends Fields> extends Codec<{ [K in keyof F]: Infer<F[K]> }> {
  readonly fields: F;
}

export function record<F extends Fields>(fields: F): RecordCodec<F> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields);
  return {
    fields,
    write(writer, value) {
      for (let i = 0; i < names.length; i++) {
        (codecs[i] as Codec<unknown>).write(writer, value[names[i] as string]);
      }
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) value[names[i] as string] = (codecs[i] as Codec<unknown>).read(reader);
      return value as { [K in keyof F]: Infer<F[K]> };
    },
  };
}

/**
 * A record whose codec is written out by hand, for those that travel thousands of times a second; the fields still say
 * what it is, and a test of the room that has it compares the two.
 */
export function handWritten<F extends Fields>(
  fields: F,
  codec: Codec<{ [K in keyof F]: Infer<F[K]> }>,
): RecordCodec<F> & { readonly bySchema: RecordCodec<F> } {
  return { fields, write: codec.write, read: codec.read, bySchema: record(fields) };
}

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.copy();
}

/** Decodes a whole value; bytes left over are an error. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = codec.read(reader);
  if (reader.remaining !== 0) throw new ProtocolError(`${reader.remaining} bytes left over after a whole record`);
  return value;
}
