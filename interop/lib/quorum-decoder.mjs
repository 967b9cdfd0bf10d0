// Takes the streams between servers apart, message by message, in the words of the protocol. Independent of packages/.

import { In } from "./jute.mjs";

export const packetNames = [
  undefined,
  "REQUEST",
  "PROPOSAL",
  "ACK",
  "COMMIT",
  "PING",
  "REVALIDATE",
  "SYNC",
  "INFORM",
  "COMMITANDACTIVATE",
  "NEWLEADER",
  "FOLLOWERINFO",
  "UPTODATE",
  "DIFF",
  "TRUNC",
  "SNAP",
  "OBSERVERINFO",
  "LEADERINFO",
  "ACKEPOCH",
  "INFORMANDACTIVATE",
];
const states = ["LOOKING", "FOLLOWING", "LEADING", "OBSERVING"];
const signature = "BenWasHere";

class Incomplete extends Error {}

/** Fails with Incomplete instead of RangeError where bytes are missing. */
class Window extends In {
  #need(size) {
    if (this.left < size) throw new Incomplete();
  }
  int() {
    this.#need(4);
    return super.int();
  }
  long() {
    this.#need(8);
    return super.long();
  }
  take(size) {
    this.#need(size);
    this.offset += size;
    return this.bytes.subarray(this.offset - size, this.offset);
  }
  buffer() {
    const length = this.int();
    return length === -1 ? null : this.take(length);
  }
}

const readId = (input) => ({ scheme: input.string(), id: input.string() });

/** One QuorumPacket as `{kind, value}`. */
function readPacket(input) {
  const type = input.int();
  if (packetNames[type] === undefined) throw new Error(`packet type ${type}`);
  const zxid = input.long();
  const data = input.buffer();
  const authinfo = input.vector(readId);
  return { kind: packetNames[type], value: { zxid, dataSize: data === null ? null : data.length, authinfo } };
}

/** The raw snapshot that follows SNAP, signature included. */
function readSnapshot(input) {
  const sessions = Array.from({ length: input.int() }, () => ({ id: input.long(), timeout: input.int() }));
  const acls = Array.from({ length: input.int() }, () => ({
    id: input.long(),
    acl: input.vector(() => ({ perms: input.int(), ...readId(input) })),
  }));
  const paths = [];
  for (let path = input.string(); path !== "/"; path = input.string()) {
    paths.push(path);
    input.buffer();
    input.take(8 + 60);
  }
  const seal = input.string();
  if (seal !== signature) throw new Error(`${JSON.stringify(seal)} after a snapshot`);
  return { kind: "snapshot", value: { sessions, acls: acls.length, paths } };
}

function readInitialMessage(input) {
  const version = input.long();
  return { kind: "initial", value: { version, sid: input.long(), addresses: input.string() } };
}

function readNotification(input) {
  const body = new Window(input.take(input.int()));
  const value = {
    state: states[body.int()],
    leader: body.long(),
    zxid: body.long(),
    electionEpoch: body.long(),
    peerEpoch: body.long(),
    version: body.int(),
    config: body.string(),
  };
  return { kind: "notification", value };
}

/** Messages of one direction of one connection. */
export class DirectionDecoder {
  #bytes = Buffer.alloc(0);
  #next;
  #port;

  constructor({ port, fromDialer }) {
    this.#port = port;
    this.#next = port === "quorum" ? readPacket : fromDialer ? readInitialMessage : readNotification;
  }

  /** Bytes that belong to no whole message yet. */
  get rest() {
    return this.#bytes;
  }

  /** @returns {{kind: string, value: any, bytes: Buffer}[]} the messages that `chunk` completes */
  push(chunk) {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const messages = [];
    for (;;) {
      const input = new Window(this.#bytes);
      if (input.left === 0) return messages;
      try {
        const message = this.#next(input);
        messages.push({ ...message, bytes: this.#bytes.subarray(0, input.offset) });
        this.#bytes = this.#bytes.subarray(input.offset);
        if (this.#port === "election") this.#next = readNotification;
        else this.#next = message.kind === "SNAP" ? readSnapshot : readPacket;
      } catch (error) {
        if (error instanceof Incomplete) return messages;
        throw error;
      }
    }
  }
}
