/**
 * The optional layer between a snapshot's content and its file: one gzip stream, or xerial's snappy stream
 *
 *   82 "SNAPPY" 00 | int version 1 | int compatible version 1 | { int length, snappy block of 32 KiB plain bytes } …
 *
 * Both directions are transformations of a sequence of chunks. Chunks going in are only valid until the next is asked
 * for; chunks coming out likewise.
 */
import { Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { ProtocolError } from "@vivarium/jute";
import { Compression } from "./file-names.ts";
import { MAX_SNAPPY_BLOCK_BYTES, snappyCompress, snappyDecompress } from "./snappy.ts";

export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export const GZIP_MAGIC = Uint8Array.of(0x1f, 0x8b);
export const SNAPPY_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const SNAPPY_VERSIONS = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1);
const SNAPPY_HEADER_BYTES = 16;
const SNAPPY_BLOCK_BYTES = 32 * 1024;
/** Other writers may use larger blocks than Java's default. */
const SNAPPY_BLOCK_LIMIT_BYTES = 16 * 1024 * 1024;

export function compress(chunks: Chunks, compression: Compression): Chunks {
  switch (compression) {
    case Compression.none:
      return chunks;
    case Compression.gzip:
      return throughStream(chunks, createGzip());
    case Compression.snappy:
      return snappyStream(chunks);
  }
}

export function decompress(chunks: Chunks, compression: Compression): Chunks {
  switch (compression) {
    case Compression.none:
      return chunks;
    case Compression.gzip:
      return throughStream(chunks, createGunzip());
    case Compression.snappy:
      return snappyUnstream(chunks);
  }
}

function throughStream(chunks: Chunks, stream: NodeJS.ReadWriteStream & { destroy(error?: Error): void }): Chunks {
  const source = Readable.from(copies(chunks), { highWaterMark: 1 });
  source.on("error", (error) => stream.destroy(error));
  return source.pipe(stream) as AsyncIterable<Uint8Array>;
}

async function* copies(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.slice();
}

async function* snappyStream(chunks: Chunks): AsyncGenerator<Uint8Array> {
  yield SNAPPY_MAGIC;
  yield SNAPPY_VERSIONS;
  const block = new Uint8Array(SNAPPY_BLOCK_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + SNAPPY_BLOCK_BYTES - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < SNAPPY_BLOCK_BYTES) continue;
      yield framedBlock(block);
      filled = 0;
    }
  }
  if (filled > 0) yield framedBlock(block.subarray(0, filled));
}

function framedBlock(plain: Uint8Array): Uint8Array {
  const compressed = snappyCompress(plain);
  const framed = new Uint8Array(4 + compressed.length);
  new DataView(framed.buffer).setInt32(0, compressed.length);
  framed.set(compressed, 4);
  return framed;
}

async function* snappyUnstream(chunks: Chunks): AsyncGenerator<Uint8Array> {
  let pending = new Uint8Array(0);
  let needed = SNAPPY_HEADER_BYTES;
  let inHeader = true;
  for await (const chunk of chunks) {
    const joined = new Uint8Array(pending.length + chunk.length);
    joined.set(pending);
    joined.set(chunk, pending.length);
    pending = joined;
    while (pending.length >= needed) {
      const view = new DataView(pending.buffer, pending.byteOffset);
      if (inHeader) {
        if (!SNAPPY_MAGIC.every((byte, i) => pending[i] === byte)) throw new ProtocolError("no snappy stream");
        inHeader = false;
        pending = pending.subarray(needed);
        needed = 4;
      } else if (needed === 4) {
        const size = view.getInt32(0);
        if (size < 0 || size > SNAPPY_BLOCK_LIMIT_BYTES) throw new ProtocolError(`a snappy block of ${size} bytes`);
        needed = 4 + size;
      } else {
        yield snappyDecompress(pending.subarray(4, needed), Math.max(MAX_SNAPPY_BLOCK_BYTES, SNAPPY_BLOCK_LIMIT_BYTES));
        pending = pending.subarray(needed);
        needed = 4;
      }
    }
  }
  if (inHeader || needed !== 4 || pending.length > 0) throw new ProtocolError("a snappy stream that is cut off");
}
