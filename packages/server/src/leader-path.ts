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

/** How many transactions are applied between looks at the clock. */
const APPLY_SLICE = 16;

/** What carries transactions to durability: the log of a standalone server, Zab in an ensemble. */
export interface Agreement {
  /** Called in zxid order. `LeaderPath.committed` follows, never within this call. */
  propose(entry: Uint8Array, txn: Txn): void;
  /** Up to which zxid nobody looks at entries any more, once they are applied: their memory is used again. */
  released(): Zxid;
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
  /** The tree has applied everything up to this zxid: once per turn. */
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
  /** Who waits until all up to a zxid is applied. */
  readonly #waiters = new Fifo<{ zxid: Zxid; action: () => void }>();
  #committedZxid: Zxid = -1;
  #isApplying = false;
  #isStopped = false;

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
      released: () => agreement.released(),
    });
  }

  /** Transactions proposed and not yet applied. */
  get length(): number {
    return this.#proposals.length;
  }

  submit(write: OwnedWrite, connection: ClientConnection | null, request: PendingRequest | null): void {
    // A client's requests come in turns, which end with an answer; another server's come at any time.
    const nowMs = connection === null ? this.#server.clock.wallMs() : this.#server.listener.turn.wallMs;
    const decided = this.#prepare.prepare(write, nowMs);
    if (decided === undefined && connection !== null && request !== null) {
      this.#server.dispatcher.refuse(connection, request, ErrorCode.MARSHALLINGERROR);
      return;
    }
    if (decided === undefined) return this.refuse(write, ErrorCode.MARSHALLINGERROR);
    // The session's end is decided: nothing it asks for after this will be done.
    if (write.type === OpCode.closeSession) this.#server.tracker.setClosing(write.sessionId);
    this.#propose({ prepared: decided, connection, request });
  }

  /** Another server, which forwards without looking, can be answered by a transaction only. */
  refuse(write: OwnedWrite, err: number): void {
    const prepared = this.#prepare.refuse(write, this.#server.clock.wallMs(), err);
    this.#propose({ prepared, connection: null, request: null });
  }

  #propose(proposal: Proposal): void {
    this.#proposals.push(proposal);
    this.#agreement.propose(proposal.prepared.entry, proposal.prepared.txn);
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
    if (this.#isApplying || this.#isStopped) return;
    const { budget } = this.#server.listener;
    budget.begin(this.#server.clock.monotonicMs());
    this.#applyTurn();
    budget.end();
    this.#server.endOfTurn();
  }

  /** Calls back once the tree has everything that is committed by now. */
  whenApplied(action: () => void): void {
    this.#waiters.push({ zxid: this.#committedZxid, action });
    if (!this.#isApplying) this.#tellWaiters();
  }

  /** Nothing is applied any more: the term is over, and what is in the log is the next one's business. */
  stop(): void {
    this.#isStopped = true;
  }

  #applyTurn(): void {
    const { budget } = this.#server.listener;
    let isCut = false;
    let applied = 0;
    this.#isApplying = true;
    while (!isCut && this.#applyNext()) {
      applied++;
      isCut = applied % APPLY_SLICE === 0 && budget.isOver();
    }
    if (isCut) this.#server.clock.defer(() => this.#applyLater());
    if (applied > 0) this.#onApplied(this.#server.tree.lastProcessedZxid);
    this.#isApplying = isCut;
    this.#tellWaiters();
  }

  #applyLater(): void {
    if (this.#isStopped) return;
    this.#server.listener.budget.beginShare(this.#server.clock.monotonicMs());
    this.#applyTurn();
    this.#server.endOfTurn();
  }

  #tellWaiters(): void {
    const next = this.#proposals.peek()?.prepared.txn.header.zxid ?? Number.POSITIVE_INFINITY;
    for (let waiter = this.#waiters.peek(); waiter !== undefined; waiter = this.#waiters.peek()) {
      if (waiter.zxid >= next) return;
      this.#waiters.shift();
      waiter.action();
    }
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
