/** What real Apache ZooKeeper 3.9.5 servers said to each other: packages/protocol/src/testdata, see the README there. */
import { readFileSync } from "node:fs";

export interface CapturedMessage {
  readonly from: number;
  readonly kind: string;
  readonly hex?: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

export interface CapturedConnection {
  readonly scene: string;
  readonly port: "election" | "quorum";
  readonly dialer: number;
  readonly acceptor: number;
  readonly messages: readonly CapturedMessage[];
}

const file = new URL("../../../../protocol/src/testdata/quorum-3.9.5.json", import.meta.url);
const captured = JSON.parse(readFileSync(file, "utf8")) as CapturedConnection[];

export const capturedElections = captured.filter(({ port }) => port === "election");
export const capturedQuorums = captured.filter(({ port }) => port === "quorum");

/** What one side said, message by message. */
export function said({ messages }: CapturedConnection, from: number): (CapturedMessage & { bytes: Uint8Array })[] {
  return messages.flatMap((message) => {
    if (message.from !== from || message.hex === undefined) return [];
    return [{ ...message, bytes: Uint8Array.from(Buffer.from(message.hex, "hex")) }];
  });
}

/** `bytes` in pieces of at most `size`. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.slice(at, at + size));
  return parts;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
