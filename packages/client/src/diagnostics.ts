/**
 * One message per settled call on the diagnostics channel `vivarium.client.request`. Nothing is computed while nobody
 * listens.
 */
import { channel } from "node:diagnostics_channel";
import type { Request } from "./request.ts";
import type { SessionMachine } from "./session-machine.ts";

export const REQUEST_CHANNEL = "vivarium.client.request";

export interface RequestTrace {
  /** ZooKeeper's word: "create", "getData". */
  op: string;
  /** The server's path, chroot included. */
  path: string;
  /** Bytes on the wire; 0 when it was not sent, or not answered. */
  requestBytes: number;
  replyBytes: number;
  /** From the call to its end. */
  latencyMs: number;
  /** "OK", or the name of the error's class. */
  result: string;
  error: Error | undefined;
  server: string;
  sessionId: bigint;
}

const requests = channel(REQUEST_CHANNEL);

export function tracing(): boolean {
  return requests.hasSubscribers;
}

export function traceRequest(request: Request, machine: SessionMachine): void {
  const startedMs = performance.now();
  request.onOutcome = (error) => {
    const trace: RequestTrace = {
      op: request.operation.name,
      path: request.path,
      requestBytes: request.requestBytes,
      replyBytes: request.replyBytes,
      latencyMs: performance.now() - startedMs,
      result: error?.name ?? "OK",
      error,
      server: machine.server,
      sessionId: machine.session.id,
    };
    requests.publish(trace);
  };
}
