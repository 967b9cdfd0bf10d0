/**
 * Looks at what callers give before anything reaches the wire. A request that was refused here has failed already, and
 * is not sent: so its error takes the same way to the caller as any other.
 */
import { ErrorCode, pathProblem } from "@vivarium/protocol";
import type { DataCodec } from "./codec.ts";
import { requestError } from "./errors.ts";
import type { Data, Request } from "./request.ts";

// biome-ignore lint/suspicious/noExplicitAny: the overloads tie the codec to its data.
export type MaybeCodec = { codec?: DataCodec<any> };

const MAX_INT = 0x7fffffff;

export function problemOf(path: unknown, sequential: boolean): string | undefined {
  if (typeof path !== "string") return `a path must be a string, not ${typeof path}`;
  // The sequence number completes the name, so "/a/" is good.
  return pathProblem(sequential ? `${path}0` : path);
}

export function refuse(request: Request, detail: string): void {
  const { operation, callerPath } = request;
  request.fail(() => requestError(ErrorCode.BADARGUMENTS, { op: operation.name, path: callerPath, detail }));
}

export function giveVersion(request: Request, version = -1): void {
  if (Number.isInteger(version) && version >= -MAX_INT - 1 && version <= MAX_INT) request.number = version;
  else refuse(request, `version is ${version}; it must be a 32-bit integer, as in a Stat`);
}

/** Data as bytes or text, so that it can be compared with what is found. */
export function encoded(value: unknown, codec: MaybeCodec["codec"]): Data {
  return (codec === undefined ? value : codec.encode(value)) as Data;
}

export function giveData(request: Request, value: unknown, codec: MaybeCodec["codec"]): void {
  let data = value;
  if (codec !== undefined) {
    try {
      data = codec.encode(value);
    } catch (error) {
      refuse(request, `its codec cannot encode the data: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
  }
  if (typeof data === "string" || data === null || data instanceof Uint8Array) request.data = data;
  else refuse(request, `data must be bytes, a string or null, not ${typeof data}; give a codec for anything else`);
}
