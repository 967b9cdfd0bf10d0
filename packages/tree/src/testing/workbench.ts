/** A tree with the prepare step before it, and requests written as plain objects. */
import { createHash } from "node:crypto";
import { type Codec, encode, Reader } from "@vivarium/jute";
import {
  CreateRequest,
  CreateTTLRequest,
  DeleteRequest,
  ErrorCode,
  type Id,
  MultiRequest,
  OPEN_ACL_UNSAFE,
  OpCode,
  PathRequest,
  ReconfigRequest,
  SetACLRequest,
  SetDataRequest,
} from "@vivarium/protocol";
import { AuthRegistry } from "../auth/auth-registry.ts";
import { DigestProvider } from "../auth/digest-provider.ts";
import { IpProvider } from "../auth/ip-provider.ts";
import { DataTree, type TxnResult } from "../data-tree.ts";
import { Prepare, type Prepared, type PrepareOptions } from "../prepare.ts";
import type { WriteRules } from "../write-judge.ts";
import type { WriteRequest } from "../write-request.ts";

export const here: Id = { scheme: "ip", id: "127.0.0.1" };
export const digestProvider = new DigestProvider({
  hash: (bytes) => createHash("sha1").update(bytes).digest(),
});

/** What a request says; left out are empty data, the open ACL, flags 0, version -1. */
// biome-ignore lint/suspicious/noExplicitAny: tests write requests of every shape, also wrong ones.
export type Fields = Record<string, any>;

const codecs: Record<number, Codec<Fields>> = {
  [OpCode.create]: CreateRequest as Codec<Fields>,
  [OpCode.create2]: CreateRequest as Codec<Fields>,
  [OpCode.createContainer]: CreateRequest as Codec<Fields>,
  [OpCode.createTTL]: CreateTTLRequest as Codec<Fields>,
  [OpCode.delete]: DeleteRequest as Codec<Fields>,
  [OpCode.deleteContainer]: PathRequest as Codec<Fields>,
  [OpCode.setData]: SetDataRequest as Codec<Fields>,
  [OpCode.setACL]: SetACLRequest as Codec<Fields>,
  [OpCode.reconfig]: ReconfigRequest as Codec<Fields>,
};
const noReconfig = { joiningServers: null, leavingServers: null, newMembers: null, curConfigId: -1 };

function withDefaults(fields: Fields): Fields {
  const { data } = fields;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : (data ?? null);
  return { acl: OPEN_ACL_UNSAFE, flags: 0, version: -1, ttl: -1n, ...noReconfig, ...fields, data: bytes };
}

export function encodeRequest(type: number, fields: Fields): Uint8Array {
  if (type === OpCode.multi) return encode(MultiRequest as unknown as Codec<Fields[]>, fields["ops"].map(withDefaults));
  const codec = codecs[type];
  return codec === undefined ? new Uint8Array(0) : encode(codec, withDefaults(fields));
}

export interface Asker {
  sessionId?: bigint;
  authInfo?: readonly Id[];
}

export class Workbench {
  readonly tree: DataTree;
  readonly prepare: Prepare;
  readonly digestMismatches: number[] = [];
  /** What the next session checks answer. */
  session: (request: WriteRequest, ephemeral: boolean) => number = () => ErrorCode.OK;
  timeMs = 1000;
  readonly #undone: Prepared[] = [];
  #zxid = 0;

  constructor(
    options: {
      rules?: Partial<WriteRules>;
      reconfig?: PrepareOptions["reconfig"];
      digest?: boolean;
      releasesApplied?: boolean;
    } = {},
  ) {
    const kinds = { extendedTypes: true, emulate353Ttl: false };
    this.tree = new DataTree({
      ...kinds,
      digest: options.digest ?? true,
      onDigestMismatch: (zxid) => this.digestMismatches.push(zxid),
    });
    this.prepare = new Prepare({
      tree: this.tree,
      auth: new AuthRegistry([digestProvider, new IpProvider()]),
      rules: {
        ...kinds,
        enforceQuota: false,
        checkSession: (request, ephemeral) => this.session(request, ephemeral),
        ...options.rules,
      },
      nextZxid: () => ++this.#zxid,
      reconfig: options.reconfig,
      released: options.releasesApplied ? () => this.tree.lastProcessedZxid : undefined,
    });
  }

  /** Prepares and leaves it at that: the change stays outstanding. */
  decide(type: number, bytes: Uint8Array, asker: Asker = {}): Prepared {
    return this.decideFrom(new Reader(bytes), type, asker);
  }

  decideFrom(reader: Reader, type: number, asker: Asker = {}): Prepared {
    const prepared = this.#prepare(reader, type, asker);
    if (prepared === undefined) throw new Error(`a request of type ${type} that cannot be decoded`);
    return prepared;
  }

  /** As `decide`; undefined for a request that cannot be decoded. */
  tryToDecide(type: number, bytes: Uint8Array, asker: Asker = {}): Prepared | undefined {
    return this.#prepare(new Reader(bytes), type, asker);
  }

  #prepare(reader: Reader, type: number, { sessionId = 1n, authInfo = [here] }: Asker): Prepared | undefined {
    const prepared = this.prepare.prepare({ sessionId, cxid: this.#zxid, type, authInfo, reader }, ++this.timeMs);
    if (prepared !== undefined) this.#undone.push(prepared);
    return prepared;
  }

  /** Applies what is outstanding, oldest first. */
  apply(count: number = this.#undone.length): TxnResult[] {
    return this.#undone.splice(0, count).map(({ txn }) => {
      const result = this.tree.apply(txn);
      this.prepare.applied(txn.header.zxid);
      return result;
    });
  }

  /** The error of a request, decided after all that is outstanding. */
  err(type: number, fields: Fields, asker: Asker = {}): number {
    return this.decide(type, encodeRequest(type, fields), asker).err;
  }

  /** Decides and applies. @throws when the request is refused */
  do(type: number, fields: Fields, asker: Asker = {}): TxnResult {
    const err = this.err(type, fields, asker);
    if (err !== ErrorCode.OK) throw new Error(`refused with ${err}: ${type} ${fields["path"]}`);
    return this.apply().at(-1) as TxnResult;
  }
}
