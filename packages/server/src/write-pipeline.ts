/**
 * The path of a write, after it was prepared:
 *
 *   submit ─► prepare ─► propose (log, and in an ensemble the followers) ─► committed ─► apply ─► reply + watch events
 *
 * Proposals are committed in the order of their zxids, and nothing is applied or answered before it is committed:
 * on a standalone server, before it is on disk. Many that are committed together are applied in slices, so that no
 * turn of the event loop takes longer than its budget.
 */
import { ErrorCode, OpCode, type Txn, type Zxid } from "@vivarium/protocol";
import {
  type DataTree,
  type Prepare,
  type Prepared,
  type TxnResult,
  type WriteRequest,
  writeResult,
} from "@vivarium/tree";
import type { ClientConnection, PendingRequest } from "./client-connection.ts";
import { Fifo } from "./fifo.ts";

/** Milliseconds for which one turn of the event loop may apply transactions. */
const TURN_BUDGET_MS = 5;
/** How many transactions are applied between looks at the clock. */
const APPLY_SLICE = 64;

/** What carries transactions to durability: the log of a standalone server, Zab in an ensemble. */
export interface Agreement {
  /** Called in zxid order. `WritePipeline.committed` follows, never within this call. */
  propose(entry: Uint8Array, txn: Txn): void;
}

export interface PipelineHost {
  readonly tree: DataTree;
  readonly prepare: Prepare;
  readonly agreement: Agreement;
  wallMs(): number;
  monotonicMs(): number;
  defer(callback: () => void): void;
  /** The session's end is decided: nothing it asks for after this will be done. */
  closing(sessionId: bigint): void;
  /** The request's record is nonsense and became no transaction: it is to be refused when its turn comes. */
  undecodable(connection: ClientConnection, request: PendingRequest): void;
  /** A transaction was applied: sessions are opened and closed here, before any reply. */
  applied(proposal: Proposal): void;
  /** The reply of this request is complete; reads that waited for it may be answered. */
  answered(connection: ClientConnection, request: PendingRequest, zxid: Zxid): void;
  /** What was committed so far is applied: send the replies, read on where reading had stopped. */
  endOfTurn(): void;
}

export interface Proposal {
  readonly prepared: Prepared;
  /** Who waits for the reply; null for the server's own requests. */
  readonly connection: ClientConnection | null;
  readonly request: PendingRequest | null;
}

export class WritePipeline {
  readonly #host: PipelineHost;
  readonly #proposals = new Fifo<Proposal>();
  #committedZxid: Zxid = -1;
  #applying = false;

  constructor(host: PipelineHost) {
    this.#host = host;
  }

  /** Transactions proposed and not yet applied. */
  get length(): number {
    return this.#proposals.length;
  }

  submit(write: WriteRequest, connection: ClientConnection | null, request: PendingRequest | null): void {
    const prepared = this.#host.prepare.prepare(write, this.#host.wallMs());
    if (prepared === undefined) {
      if (connection === null || request === null) throw new Error("a request of our own cannot be decoded: our bug");
      this.#host.undecodable(connection, request);
      return;
    }
    if (write.type === OpCode.closeSession) this.#host.closing(write.sessionId);
    this.#proposals.push({ prepared, connection, request });
    this.#host.agreement.propose(prepared.entry, prepared.txn);
  }

  /** All transactions up to this zxid are committed. */
  committed(zxid: Zxid): void {
    this.#committedZxid = Math.max(this.#committedZxid, zxid);
    if (!this.#applying) this.#applyTurn();
  }

  #applyTurn(): void {
    const startMs = this.#host.monotonicMs();
    this.#applying = false;
    for (let count = 1; this.#applyNext(); count++) {
      if (count % APPLY_SLICE === 0 && this.#host.monotonicMs() - startMs > TURN_BUDGET_MS) {
        this.#applying = true;
        this.#host.defer(() => this.#applyTurn());
        break;
      }
    }
    this.#host.endOfTurn();
  }

  #applyNext(): boolean {
    const proposal = this.#proposals.peek();
    if (proposal === undefined || proposal.prepared.txn.header.zxid > this.#committedZxid) return false;
    this.#proposals.shift();
    const { txn } = proposal.prepared;
    const result = this.#host.tree.apply(txn);
    this.#host.prepare.applied(txn.header.zxid);
    this.#host.applied(proposal);
    this.#reply(proposal, result);
    return true;
  }

  #reply({ prepared, connection, request }: Proposal, result: TxnResult): void {
    if (connection === null || request === null || connection.state !== "open") return;
    if (connection.pending.shift() !== request) throw new Error("replies out of order: our bug");
    const { zxid } = prepared.txn.header;
    const at = connection.beginReply();
    const err = writeResult(connection.out, this.#host.tree.nodes, request.type, result);
    if (err === ErrorCode.SESSIONMOVED) {
      connection.out.length = at;
      this.#host.answered(connection, request, zxid);
      connection.close("the session moved to another connection");
      return;
    }
    connection.finishReply(at, { xid: request.xid, zxid, err });
    this.#host.answered(connection, request, zxid);
    if (request.type === OpCode.closeSession) connection.close("closed by its client");
  }
}
