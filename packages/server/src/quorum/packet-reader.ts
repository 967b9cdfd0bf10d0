/**
 * Finds QuorumPackets in a stream that does not say how long they are. The size of a packet is known once its lengths
 * have arrived; each is checked before it is believed, so nonsense is refused before memory is taken for it.
 *
 *   int type | long zxid | buffer data | vector<Id> authinfo
 */
import { ProtocolError, type Reader } from "@vivarium/jute";
import { QuorumPacket, QuorumPacketType } from "@vivarium/protocol";
import { ByteQueue } from "./byte-queue.ts";

const DATA_AT = 4 + 8 + 4;
/** More identities than any client proves. */
const MAX_IDENTITIES = 1000;
const LAST_TYPE = QuorumPacketType.INFORMANDACTIVATE;
/** What a peer that wants to authenticate by SASL sends first, in its first four bytes. */
const SASL_MAGIC_HIGH = 0x5f243501;
const TLS_HANDSHAKE = 0x16;

export class PacketReader {
  readonly #queue = new ByteQueue();
  readonly #maxPacketBytes: number;
  /** Fewer bytes than this cannot be a whole packet. */
  #needed = 0;

  /** @param maxPacketBytes the largest packet, in bytes. */
  constructor(maxPacketBytes: number) {
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** What waits, for those who read what is no packet. */
  get reader(): Reader {
    return this.#queue.reader;
  }

  append(chunk: Uint8Array): void {
    this.#queue.append(chunk);
  }

  /** The memory of what was appended is taken back. */
  keep(): void {
    this.#queue.keep();
  }

  clear(): void {
    this.#queue.clear();
  }

  /** The next packet, or undefined until all of it has arrived. @throws ProtocolError */
  next(): QuorumPacket | undefined {
    const { reader } = this.#queue;
    if (reader.remaining < this.#needed) return undefined;
    this.#needed = this.#sizeAt(reader);
    if (reader.remaining < this.#needed) return undefined;
    this.#needed = 0;
    return QuorumPacket.read(reader);
  }

  /** Bytes of the packet at the reader, or as many as are needed to say more. */
  #sizeAt(reader: Reader): number {
    const { view, offset, remaining } = reader;
    if (remaining < 4) return 4;
    const type = view.getInt32(offset);
    if (type < QuorumPacketType.REQUEST || type > LAST_TYPE) throw new ProtocolError(unknownType(type));
    if (remaining < DATA_AT) return DATA_AT;
    let size = DATA_AT + this.#length(view.getInt32(offset + DATA_AT - 4)) + 4;
    if (remaining < size) return size;
    const count = view.getInt32(offset + size - 4);
    if (count < -1 || count > MAX_IDENTITIES) throw new ProtocolError(`a packet with ${count} identities`);
    // A scheme and an id each.
    for (let strings = 2 * count; strings > 0; strings--) {
      size += 4;
      if (remaining < size) return size;
      size += this.#length(view.getInt32(offset + size - 4));
      if (size > this.#maxPacketBytes) throw this.#tooLarge(size);
    }
    return size;
  }

  #length(length: number): number {
    if (length < -1) throw new ProtocolError(`a packet with the length ${length} in it`);
    if (length > this.#maxPacketBytes) throw this.#tooLarge(length);
    return Math.max(length, 0);
  }

  #tooLarge(size: number): ProtocolError {
    return new ProtocolError(`a packet of ${size} bytes; ${this.#maxPacketBytes} are accepted (jute.maxbuffer)`);
  }
}

function unknownType(type: number): string {
  const problem = `packet type ${type} does not exist`;
  if (type === SASL_MAGIC_HIGH) return `${problem}: this is how quorum SASL begins, which is not enabled here`;
  if (type >>> 24 === TLS_HANDSHAKE) return `${problem}: this is how TLS begins, which is not enabled here`;
  return problem;
}
