/**
 * What an application would count on, from its own records alone: counters miss and repeat nothing, transfers neither make
 * nor lose money, sequence numbers are unique and rise.
 */
import { ACCOUNTS, COUNTERS, FIRST_BALANCE, numberIn } from "../workload/actions.ts";
import type { History, Operation } from "../workload/history.ts";
import { describeOperation } from "./check-writes.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

export function checkValues(history: History, truth: Truth): void {
  const acknowledged = history.operations.filter(({ outcome }) => outcome === "ok");
  checkCounters(acknowledged, truth);
  checkSums(acknowledged, truth);
  checkSequences(acknowledged, truth);
}

/** No two increments may have set the same number. */
function checkCounters(acknowledged: readonly Operation[], truth: Truth): void {
  const setters = new Map<string, Operation>();
  for (const operation of acknowledged) {
    if (operation.kind !== "setData" || !COUNTERS.includes(operation.path)) continue;
    const key = `${operation.path} = ${numberIn(operation.data)}`;
    const other = setters.get(key);
    if (other !== undefined) {
      const what = `${key} was set by ${describeOperation(other)} and by ${describeOperation(operation)}`;
      truth.report(violation("no update is lost", what, operation.path));
    }
    setters.set(key, operation);
  }
}

function checkSums(acknowledged: readonly Operation[], truth: Truth): void {
  for (const operation of acknowledged) {
    const isAudit = operation.kind === "multiRead" && operation.paths.join() === ACCOUNTS.join();
    if (!isAudit || operation.reads.some((read) => read === null)) continue;
    const sum = operation.reads.reduce((total, read) => total + numberIn(read?.data ?? ""), 0);
    if (sum === ACCOUNTS.length * FIRST_BALANCE) continue;
    const what = `${describeOperation(operation)} found ${sum} instead of ${ACCOUNTS.length * FIRST_BALANCE}`;
    truth.report(violation("a multi is done wholly or not at all", what, ...ACCOUNTS));
  }
}

function checkSequences(acknowledged: readonly Operation[], truth: Truth): void {
  const made = acknowledged.filter((operation) => operation.sequential);
  const makers = new Map<string, Operation>();
  for (const operation of made) {
    const other = makers.get(operation.createdPath);
    if (other !== undefined) {
      const what = `${operation.createdPath} was given to ${describeOperation(other)} and to ${describeOperation(operation)}`;
      truth.report(violation("sequence numbers are unique", what, operation.createdPath));
    }
    makers.set(operation.createdPath, operation);
  }
  checkRising(made, truth);
}

/** A number asked for after another one was given is higher. */
function checkRising(made: readonly Operation[], truth: Truth): void {
  const byReturn = [...made].sort((a, b) => a.order - b.order);
  const byCall = [...made].sort((a, b) => a.index - b.index);
  const highest = new Map<string, Operation>();
  let at = 0;
  for (const operation of byCall) {
    for (; at < byReturn.length && (byReturn[at] as Operation).returnedMs < operation.invokedMs; at++) {
      const earlier = byReturn[at] as Operation;
      const known = highest.get(earlier.path);
      if (known === undefined || known.createdPath < earlier.createdPath) highest.set(earlier.path, earlier);
    }
    const before = highest.get(operation.path);
    if (before === undefined || before.createdPath < operation.createdPath) continue;
    const what = `${describeOperation(operation)} was given ${operation.createdPath} after ${before.createdPath} had been given`;
    truth.report(violation("sequence numbers rise", what, operation.createdPath));
  }
}
