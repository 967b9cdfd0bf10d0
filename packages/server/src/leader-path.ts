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
  /**
   * Calls back once a leader has made sure that it knows everything committed before now. Left out where the server is
   * its own quorum.
   */
  sync?(done: () => void): void;
}

export interface LeaderPathOptions {
  agreement: Agreement;
  /** For the digests that transactions carry. */
  crc32: Crc32;
  /** The tree has applied everything up to this zxid. */
  applied?(zxid: Zxid): void;
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
  readonly #onApplied: (zxid: Zxid) => void;
  readonly #prepare: Prepare;
  readonly #proposals = new Fifo<Proposal>();
  #committedZxid: Zxid = -1;
  #isApplying = false;

  constructor(server: ZooKeeperServer, { agreement, crc32, applied = () => {} }: LeaderPathOptions) {
    this.#server = server;
    this.#agreement = agreement;
    this.#onApplied = applied;
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
    const nowMs = this.#server.clock.wallMs();
    const decided = this.#prepare.prepare(write, nowMs);
    if (decided === undefined && connection !== null && request !== null) {
      this.#server.dispatcher.refuse(connection, request, ErrorCode.MARSHALLINGERROR);
      return;
    }
    // Another server, which forwards without looking, can be answered by a transaction only.
    const prepared = decided ?? this.#prepare.refuse(write, nowMs, ErrorCode.MARSHALLINGERROR);
    // The session's end is decided: nothing it asks for after this will be done.
    if (write.type === OpCode.closeSession) this.#server.tracker.setClosing(write.sessionId);
    this.#proposals.push({ prepared, connection, request });
    this.#agreement.propose(prepared.entry, prepared.txn);
  }

  /** Where a server is its own quorum, a sync has nothing to wait for but this session's own writes. */
  sync(connection: ClientConnection, request: PendingRequest): boolean {
    if (this.#agreement.sync === undefined) return false;
    this.#agreement.sync(() => {
      if (connection.state === "open") this.#server.dispatcher.synced(connection, request);
      this.#server.endOfTurn();
    });
    return true;
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
    this.#onApplied(txn.header.zxid);
    this.#server.applied(txn, proposal.connection);
    replyToWrite(this.#server, proposal, { zxid: txn.header.zxid, result });
    return true;
  }
}
