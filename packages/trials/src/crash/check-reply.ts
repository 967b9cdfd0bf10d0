/** Holds one reply against what the model says: error codes, paths, Stats, and the results of a multi one by one. */
import { record } from "@vivarium/jute";
import {
  Create2Response,
  CreateResponse,
  ErrorCode,
  MultiResponse,
  type MultiResult,
  OpCode,
  StatResponse,
} from "@vivarium/protocol";
import type { Reply } from "../raw-client.ts";
import { type Answer, type Outcome, statDifference } from "./model.ts";
import type { Change, Operation } from "./operation.ts";
import { BrokenPromise } from "./reconcile.ts";

const NOTHING = record({});

/** @throws BrokenPromise at the first difference */
export function checkReply({ action }: Operation, answer: Answer, reply: Reply): void {
  if (action.kind === "closeSession") {
    reply.read(NOTHING);
    return;
  }
  if (action.kind === "multi") {
    const results = reply.read(MultiResponse);
    if (results.length !== action.changes.length) throw new BrokenPromise(`multi: ${results.length} results`);
    for (const [index, result] of results.entries()) {
      checkResult(
        action.changes[index] as Change,
        answer.outcomes[index] as Outcome,
        result,
        answer.err !== ErrorCode.OK,
      );
    }
    return;
  }
  if (reply.err !== answer.err) {
    throw new BrokenPromise(`${action.kind} ${action.path}: error ${reply.err}, expected ${answer.err}`);
  }
  if (reply.err !== ErrorCode.OK) return;
  checkSuccess(action, answer.outcomes[0] as Outcome, readSuccess(action, reply));
}

interface Success {
  path?: string;
  stat?: StatResponse["stat"];
}

function readSuccess(change: Change, reply: Reply): Success {
  if (change.kind === "create") return change.withStat ? reply.read(Create2Response) : reply.read(CreateResponse);
  return change.kind === "setData" ? reply.read(StatResponse) : reply.read(NOTHING);
}

function checkResult(change: Change, outcome: Outcome, result: MultiResult, failed: boolean): void {
  if (!failed && result.type !== OpCode.error) {
    checkSuccess(change, outcome, result as Success);
    return;
  }
  const err = result.type === OpCode.error ? result.err : ErrorCode.OK;
  if (!failed || err !== outcome.err) {
    throw new BrokenPromise(`multi: ${change.kind} ${change.path}: error ${err}, expected ${outcome.err}`);
  }
}

function checkSuccess(change: Change, outcome: Outcome, { path, stat }: Success): void {
  if (!("node" in outcome)) return;
  const what = `${change.kind} ${change.path}`;
  if (path !== undefined && path !== outcome.path)
    throw new BrokenPromise(`${what}: ${path}, expected ${outcome.path}`);
  if (stat === undefined) return;
  const wrong = statDifference(stat, outcome.node, outcome.numChildren, new Map());
  if (wrong !== undefined) throw new BrokenPromise(`${what}: ${wrong}`);
}
