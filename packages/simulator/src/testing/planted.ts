/** Small histories written by hand, good ones and ones in which a promise is broken: what the checkers are tested on. */
import { OpCode, type Stat, type Zxid } from "@vivarium/protocol";
import { checkReads } from "../checkers/check-reads.ts";
import { checkHoldings, checkNothingLeft } from "../checkers/check-sessions.ts";
import { checkSubtrees } from "../checkers/check-subtrees.ts";
import { checkValues } from "../checkers/check-values.ts";
import { checkWatches } from "../checkers/check-watches.ts";
import { checkWrites } from "../checkers/check-writes.ts";
import type { Committed, Effect } from "../checkers/committed.ts";
import { Truth } from "../checkers/truth.ts";
import type { Violation } from "../checkers/violation.ts";
import { History, type Operation, type SessionRecord } from "../workload/history.ts";

export class Planted {
  readonly found: Violation[] = [];
  readonly truth = new Truth((found) => this.found.push(found));
  readonly history = new History();
  #nowMs = 0;
  #index = 0;

  /** A session whose createSession is committed. */
  session(name: string, id: bigint, zxid: Zxid): SessionRecord {
    const session: SessionRecord = {
      name,
      id,
      connections: 1,
      operations: [],
      subtreeWatches: [],
      closing: false,
      alive: true,
      remainingMs: () => 0,
    };
    this.history.sessions.push(session);
    this.commit(zxid, { sessionId: id, type: OpCode.createSession });
    return session;
  }

  commit(zxid: Zxid, given: Partial<Committed> = {}): void {
    const txn: Committed = {
      zxid,
      sessionId: 1n,
      cxid: 1,
      type: OpCode.setData,
      time: 0,
      effects: [],
      closes: [],
      digest: BigInt(zxid),
      atMs: this.#nowMs,
      ...given,
    };
    this.truth.applied("s1", txn, this.truth.before(zxid));
  }

  /** A call that was made and, unless `outcome` says otherwise, answered with success, all before the next one. */
  call(session: SessionRecord, given: Partial<Operation>): Operation {
    const operation: Operation = {
      kind: "sync",
      path: "/",
      data: "",
      version: -1,
      sequential: false,
      ephemeral: false,
      parts: [],
      paths: [],
      watch: null,
      index: this.#index++,
      session,
      invokedMs: ++this.#nowMs,
      toldBefore: this.history.told,
      outcome: "ok",
      code: 0,
      returnedMs: ++this.#nowMs,
      order: this.history.nextOrder(),
      connection: session.connections,
      seen: this.truth.lastZxid,
      stat: null,
      found: "",
      children: [],
      createdPath: "",
      reads: [],
      ...given,
    };
    session.operations.push(operation);
    this.history.operations.push(operation);
    this.history.told = Math.max(this.history.told, operation.seen);
    return operation;
  }

  /** A write that is committed and acknowledged. */
  write(session: SessionRecord, effect: Effect, given: Partial<Operation> = {}): Operation {
    const zxid = this.truth.lastZxid + 1;
    const type = { create: OpCode.create2, setData: OpCode.setData, delete: OpCode.delete }[effect.kind];
    const toldBefore = this.history.told;
    this.commit(zxid, { sessionId: session.id, type, effects: [effect] });
    return this.call(session, {
      kind: effect.kind,
      path: effect.path,
      data: effect.kind === "delete" ? "" : effect.data,
      createdPath: effect.kind === "create" ? effect.path : "",
      toldBefore,
      ...given,
    });
  }

  create(session: SessionRecord, path: string, data: string, owner = 0n): Operation {
    return this.write(session, { kind: "create", path, data, owner });
  }

  setData(session: SessionRecord, path: string, data: string, given: Partial<Operation> = {}): Operation {
    const version = (this.truth.model.nodes.get(path)?.version ?? 0) + 1;
    return this.write(session, { kind: "setData", path, data, version }, given);
  }

  /** What getData is to find now. */
  stat(path: string): Stat {
    const node = this.truth.model.nodes.get(path);
    if (node === undefined) throw new Error(`no ${path} in this planted history`);
    const { czxid, mzxid, pzxid, version, cversion, owner, childCount, data } = node;
    const counts = { dataLength: data.length, numChildren: childCount };
    return {
      czxid,
      mzxid,
      pzxid,
      version,
      cversion,
      aversion: 0,
      ephemeralOwner: owner,
      ctime: 0,
      mtime: 0,
      ...counts,
    };
  }

  getData(session: SessionRecord, path: string, given: Partial<Operation> = {}): Operation {
    const found = this.truth.model.nodes.get(path)?.data ?? "";
    return this.call(session, { kind: "getData", path, stat: this.stat(path), found, ...given });
  }

  /** The rules that were broken, once each. */
  judge({ linearizable = false }: { linearizable?: boolean } = {}): string[] {
    const { history, truth } = this;
    const placement = checkWrites(history, truth);
    const states = checkReads({ history, truth, placement }, { linearizable });
    checkWatches({ history, truth, placement, states });
    checkSubtrees({ history, truth, placement, states });
    checkValues(history, truth);
    checkHoldings(history.holdings, truth);
    return this.rules();
  }

  judgeLeftovers(): string[] {
    checkNothingLeft(this.truth);
    return this.rules();
  }

  rules(): string[] {
    return [...new Set(this.found.map(({ rule }) => rule))];
  }
}
