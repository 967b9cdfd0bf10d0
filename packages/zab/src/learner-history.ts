/**
 * What a learner was told and has not delivered yet, oldest first:
 *
 *   delivered │ committed │ proposed          the log holds a prefix of it
 *
 * A proposal must be the successor of the last one, a commit must be of the oldest that is not committed. Whatever
 * breaks that order means that something was lost between the leader and here.
 */
import { ProtocolError } from "@vivarium/jute";
import { type Zxid, zxidHex } from "@vivarium/protocol";
import { type CommittedLog, isSuccessor, type LogEntry } from "./committed-log.ts";
import { Fifo } from "./fifo.ts";
import type { LearnerOutput } from "./learner-io.ts";
import type { Rules } from "./rules.ts";

export class LearnerHistory {
  readonly #log: CommittedLog;
  readonly #rules: Rules;
  #pending = new Fifo<LogEntry>();
  #committed = 0;
  #logged = 0;
  #last: Zxid;
  #delivered: Zxid;

  constructor(last: Zxid, log: CommittedLog, rules: Rules) {
    this.#log = log;
    this.#rules = rules;
    this.#last = last;
    this.#delivered = last;
  }

  /** The last transaction that was delivered. */
  get delivered(): Zxid {
    return this.#delivered;
  }

  /** The tree and the log were replaced, and stand at `last`. */
  reset(last: Zxid): void {
    this.#pending = new Fifo();
    this.#committed = 0;
    this.#logged = 0;
    this.#last = last;
    this.#delivered = last;
    // Whoever reloaded the tree from disk may have filled it again already.
    if (this.#log.last !== last) this.#log.reset(last);
  }

  propose(zxid: Zxid, entry: Uint8Array): void {
    if (this.#rules.continuity && !isSuccessor(zxid, this.#last)) {
      throw new ProtocolError(`proposal ${zxidHex(zxid)} does not follow ${zxidHex(this.#last)}`);
    }
    this.#last = zxid;
    this.#pending.push({ zxid, entry });
  }

  commit(zxid: Zxid): void {
    const next = this.#pending.at(this.#committed);
    if (next?.zxid !== zxid) {
      const oldest = next === undefined ? "nothing is proposed" : `${zxidHex(next.zxid)} is next`;
      throw new ProtocolError(`commit of ${zxidHex(zxid)} where ${oldest}`);
    }
    this.#committed++;
  }

  /** Forgets what is not committed. */
  dropUncommitted(): void {
    const committed = new Fifo<LogEntry>();
    for (let index = 0; index < this.#committed; index++) committed.push(this.#pending.at(index) as LogEntry);
    this.#pending = committed;
  }

  /** Appends to the log what is not there yet, committed only or all. @returns the last of it; -1 if there is nothing. */
  append(which: "committed" | "all", outputs: LearnerOutput[]): Zxid {
    let last = -1;
    const end = which === "committed" ? this.#committed : this.#pending.length;
    for (; this.#logged < end; this.#logged++) {
      const { zxid, entry } = this.#pending.at(this.#logged) as LogEntry;
      outputs.push({ type: "append", zxid, entry });
      last = zxid;
    }
    return last;
  }

  /** Gives out what is committed. */
  deliver(outputs: LearnerOutput[], duringSync: boolean): void {
    for (; this.#committed > 0; this.#committed--) {
      const { zxid, entry } = this.#pending.shift() as LogEntry;
      this.#logged = Math.max(0, this.#logged - 1);
      this.#delivered = zxid;
      const checked = this.#rules.syncJoinsCommittedLog;
      if (checked || !duringSync) this.#log.add(zxid, entry, { checked });
      outputs.push({ type: "commit", zxid, entry });
    }
  }
}
