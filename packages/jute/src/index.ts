/** Bytes: jute's reader, writer, schemas and framing. Runs anywhere; imports nothing. */
export {
  bool,
  buffer,
  bufferView,
  byte,
  type Codec,
  decode,
  encode,
  handWritten,
  type Infer,
  int,
  long,
  nullableUstring,
  number,
  type RecordCodec,
  record,
  requiredVector,
  ustring,
  vector,
} from "./codec.ts";
export { copyBytes } from "./copy.ts";
export { FrameBuffer } from "./frame-buffer.ts";
export { ProtocolError } from "./protocol-error.ts";
export { Reader } from "./reader.ts";
export { SpareMemory, spareSize } from "./spare-memory.ts";
export { asciiWrite, utf8Length, utf8Read, utf8Write } from "./utf8.ts";
export { Writer } from "./writer.ts";
