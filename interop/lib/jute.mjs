// The smallest jute: enough to write requests and read replies without any code of ours, so that what is
// compared is never compared with itself. 64-bit numbers are bigint here.

export class Out {
  #parts = [];

  int(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  long(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
    return this.raw(bytes);
  }

  bool(value) {
    return this.raw(Buffer.from([value ? 1 : 0]));
  }

  /** @param {Buffer | null} value */
  buffer(value) {
    if (value === null) return this.int(-1);
    return this.int(value.length).raw(value);
  }

  /** @param {string | null} value */
  string(value) {
    return this.buffer(value === null ? null : Buffer.from(value, "utf8"));
  }

  vector(items, write) {
    if (items === null) return this.int(-1);
    this.int(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  raw(bytes) {
    this.#parts.push(bytes);
    return this;
  }

  bytes() {
    return Buffer.concat(this.#parts);
  }
}

export class In {
  constructor(bytes, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  get left() {
    return this.bytes.length - this.offset;
  }

  int() {
    this.offset += 4;
    return this.bytes.readInt32BE(this.offset - 4);
  }

  long() {
    this.offset += 8;
    return this.bytes.readBigInt64BE(this.offset - 8);
  }

  bool() {
    this.offset += 1;
    return this.bytes.readUInt8(this.offset - 1) !== 0;
  }

  buffer() {
    const length = this.int();
    if (length === -1) return null;
    if (length < 0 || length > this.left) throw new RangeError(`buffer of ${length} bytes where ${this.left} are left`);
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  string() {
    const bytes = this.buffer();
    return bytes === null ? null : bytes.toString("utf8");
  }

  vector(read) {
    const length = this.int();
    if (length === -1) return null;
    return Array.from({ length }, () => read(this));
  }
}
