/**
 * The path of a write where it is decided: on a standalone server and on a leader.
 *
 *   submit ─► prepare ─► propose (log, and in an ensemble the followers) ─► committed ─► apply ─► reply + watch events
 *
 * Proposals are committed in the order of their zxids, and nothing is applied or answered before it is committed:
 * on a standalone server, before it is on disk. Many that are committed together are applied in slices, so that no
 * turn of the event loop takes longer than its budget.
 */
import { ErrorCode, OpCode, type Txn, type Zxid } from "@vivarium/protocol";
import { type Crc32, Prepare, type Prepared } from "@vivarium/tree";
import type { ClientConnection, PendingRequest } from "./client-connection.ts";
import { Fifo } from "./fifo.ts";
import { replyToWrite } from "./reply-to-write.ts";
import type { OwnedWrite, WritePath, ZooKeeperServer } from "./zookeeper-server.ts";

/** Milliseconds for which one turn of the event loop may apply transactions. */
const TURN_BUDGET_MS = 5;
/** How many transactions are applied between looks at the clock. */
const APPLY_SLICE = 64;

/** What carries transactions to durability: the log of a standalone server, Zab in an ensemble. */
export interface Agreement {
  /** Called in zxid order. `LeaderPath.committed` follows, never within this call. */
  propose(entry: Uint8Array, txn: Txn): void;
  /** The zxid of the next transaction. */
  nextZxid(): Zxid;
}

export interface LeaderPathOptions {
  agreement: Agreement;
  /** For the digests that transactions carry. */
  crc32: Crc32;
}

interface Proposal {
  readonly prepared: Prepared;
  /** Who waits for the reply; null for the server's own requests and those of other servers. */
  readonly connection: ClientConnection | null;
  readonly request: PendingRequest | null;
}

export class LeaderPath implements WritePath {
  readonly #server: ZooKeeperServer;
  readonly #agreement: Agreement;
  readonly #prepare: Prepare;
  readonly #proposals = new Fifo<Proposal>();
  #committedZxid: Zxid = -1;
  #isApplying = false;

  constructor(server: ZooKeeperServer, { agreement, crc32 }: LeaderPathOptions) {
    this.#server = server;
    this.#agreement = agreement;
    const { tree, auth, config, tracker, log } = server;
    this.#prepare = new Prepare({
      tree,
      auth,
      rules: {
        extendedTypes: config.extendedTypesEnabled,
        emulate353Ttl: config.emulate353TtlNodes,
        enforceQuota: config.enforceQuota,
        onQuotaExceeded: (path, kind) => log.warn(`a ${kind} quota is exceeded`, { path }),
        checkSession: (request) => tracker.check(request.sessionId, (request as OwnedWrite).owner),
      },
      nextZxid: () => agreement.nextZxid(),
      reconfig: config.reconfigEnabled ? () => ErrorCode.UNIMPLEMENTED : undefined,
      crc32,
    });
  }

  /** Transactions proposed and not yet applied. */
  get length(): number {
    return this.#proposals.length;
  }

  submit(write: OwnedWrite, connection: ClientConnection | null, request: PendingRequest | null): void {
    const prepared = this.#prepare.prepare(write, this.#server.clock.wallMs());
    if (prepared === undefined) {
      if (connection === null || request === null) throw new Error("a request of our own cannot be decoded: our bug");
      this.#server.dispatcher.refuse(connection, request, ErrorCode.MARSHALLINGERROR);
      return;
    }
    // The session's end is decided: nothing it asks for after this will be done.
    if (write.type === OpCode.closeSession) this.#server.tracker.setClosing(write.sessionId);
    this.#proposals.push({ prepared, connection, request });
    this.#agreement.propose(prepared.entry, prepared.txn);
  }

  /** Here is where all writes are decided: a sync has nothing to wait for but this session's own. */
  sync(): boolean {
    return false;
  }

  revalidate(sessionId: bigint, timeoutMs: number, answer: (isAlive: boolean) => void): void {
    const { tracker, clock } = this.#server;
    const session = tracker.get(sessionId);
    const isAlive = session !== undefined && tracker.touch(session, timeoutMs, clock.monotonicMs());
    if (isAlive) session.owner = this.#server;
    answer(isAlive);
  }

  /** All transactions up to this zxid are committed. */
  committed(zxid: Zxid): void {
    this.#committedZxid = Math.max(this.#committedZxid, zxid);
    if (!this.#isApplying) this.#applyTurn();
  }

  #applyTurn(): void {
    const { clock } = this.#server;
    const startMs = clock.monotonicMs();
    this.#isApplying = false;
    for (let count = 1; this.#applyNext(); count++) {
      if (count % APPLY_SLICE === 0 && clock.monotonicMs() - startMs > TURN_BUDGET_MS) {
        this.#isApplying = true;
        clock.defer(() => this.#applyTurn());
        break;
      }
    }
    this.#server.endOfTurn();
  }

  #applyNext(): boolean {
    const proposal = this.#proposals.peek();
    if (proposal === undefined || proposal.prepared.txn.header.zxid > this.#committedZxid) return false;
    this.#proposals.shift();
    const { txn } = proposal.prepared;
    const result = this.#server.tree.apply(txn);
    this.#prepare.applied(txn.header.zxid);
    this.#server.applied(txn, proposal.connection);
    replyToWrite(this.#server, proposal, { zxid: txn.header.zxid, result });
    return true;
  }
}
