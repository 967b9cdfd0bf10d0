/**
 * The identities that a connection has to prove: each connection anew, in the order they were given. A server that
 * refuses one closes the connection, and so would every other, so a refusal is final.
 */
import type { Writer } from "@vivarium/jute";
import { AuthPacket, ErrorCode, OpCode, SpecialXid } from "@vivarium/protocol";
import { AuthFailedError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import { rejectInCallersStack } from "./request.ts";

export class Credential {
  readonly scheme: string;
  readonly auth: Uint8Array;
  readonly promise: Promise<void>;
  #resolve: ((value: unknown) => void) | undefined;

  constructor(scheme: string, auth: Uint8Array) {
    this.scheme = scheme;
    this.auth = auth;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve as (value: unknown) => void;
    });
  }

  accepted(): void {
    this.#resolve?.(undefined);
    this.#resolve = undefined;
  }

  refused(error: () => Error): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (resolve !== undefined) rejectInCallersStack(resolve, error);
  }
}

export class Credentials {
  readonly #all: Credential[] = [];
  readonly #unanswered = new Fifo<Credential>();

  add(credential: Credential): void {
    this.#all.push(credential);
  }

  /** It is not proven on further connections; the answer on this one is still waited for. */
  withdraw(credential: Credential): void {
    const at = this.#all.indexOf(credential);
    if (at !== -1) this.#all.splice(at, 1);
  }

  writeAll(writer: Writer): void {
    for (const credential of this.#all) this.write(writer, credential);
  }

  write(writer: Writer, credential: Credential): void {
    const at = writer.reserve(12);
    writer.length = at + 12;
    AuthPacket.write(writer, { type: 0, scheme: credential.scheme, auth: credential.auth });
    writer.view.setInt32(at, writer.length - at - 4);
    writer.view.setInt32(at + 4, SpecialXid.auth);
    writer.view.setInt32(at + 8, OpCode.auth);
    this.#unanswered.push(credential);
  }

  /** The credential that the next answer belongs to. */
  answered(): Credential | undefined {
    return this.#unanswered.shift();
  }

  connectionLost(): void {
    this.#unanswered.drain();
  }

  failAll(error: () => Error): void {
    this.#unanswered.drain();
    for (const credential of this.#all) credential.refused(error);
  }
}

export function authFailed(scheme: string): Error {
  return new AuthFailedError(ErrorCode.AUTHFAILED, {
    op: "addAuth",
    detail: `the server refuses the scheme "${scheme}" or what was given for it`,
  });
}
