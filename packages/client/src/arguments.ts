/**
 * Looks at what callers give before anything reaches the wire. A request that was refused here has failed already, and
 * is not sent: so its error takes the same way to the caller as any other.
 */
import { type ACL, type CreateMode, ErrorCode, isCreateMode, isTtl, MAX_TTL_MS, pathProblem } from "@vivarium/protocol";
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

export function versionProblem(version: unknown): string | undefined {
  if (Number.isInteger(version) && (version as number) >= -MAX_INT - 1 && (version as number) <= MAX_INT) return;
  return `version is ${version}; it must be a 32-bit integer, as in a Stat`;
}

export function giveVersion(request: Request, version = -1): void {
  const problem = versionProblem(version);
  if (problem === undefined) request.number = version;
  else refuse(request, problem);
}

/** What a create is told beside its path and data. */
export interface CreateArguments {
  mode: CreateMode;
  acl: readonly ACL[];
  ttlMs: number | undefined;
}

export function createProblem({ mode, acl, ttlMs }: CreateArguments): string | undefined {
  if (!isCreateMode(mode)) return `mode is ${mode}; take one of CreateMode`;
  const isGood = isTtl(mode) ? ttlMs !== undefined && ttlMs > 0 && ttlMs <= MAX_TTL_MS : ttlMs === undefined;
  if (!isGood) return `ttlMs goes with the TTL modes, from 1 to ${MAX_TTL_MS}; mode is ${mode}, ttlMs ${ttlMs}`;
  return aclProblem(acl);
}

export function aclProblem(acl: unknown): string | undefined {
  if (!Array.isArray(acl))
    return "acl must be an array of entries, such as OPEN_ACL_UNSAFE or [digestAcl(user, password)]";
  return acl.every(isAclEntry)
    ? undefined
    : "each entry of acl must be { perms: number, id: { scheme, id } }; see acl()";
}

function isAclEntry(entry: Partial<ACL> | null | undefined): boolean {
  const { perms, id } = entry ?? {};
  return Number.isInteger(perms) && isTextOrNull(id?.scheme) && isTextOrNull(id?.id);
}

const isTextOrNull = (value: unknown): boolean => typeof value === "string" || value === null;

/** The deadline and the signal of any call. */
export function limitsProblem({ timeoutMs, signal }: { timeoutMs?: unknown; signal?: unknown }): string | undefined {
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0)) {
    return `timeoutMs is ${timeoutMs}; it must be more than 0, or Infinity for no deadline`;
  }
  if (signal === undefined || typeof (signal as AbortSignal | null)?.addEventListener === "function") return undefined;
  return "signal must be an AbortSignal";
}

/** What is wrong with an identity to prove. */
export function identityProblem({ scheme, auth }: { scheme: unknown; auth: unknown }): string | undefined {
  if (typeof scheme !== "string" || scheme === "") return 'the scheme must be a name, such as "digest"';
  if (typeof auth === "string" || auth instanceof Uint8Array) return undefined;
  return `what proves the identity must be a string or bytes, not ${typeof auth}`;
}

/** Undefined for none. */
export function listenerProblem(listener: unknown): string | undefined {
  return listener === undefined || typeof listener === "function" ? undefined : "a listener must be a function";
}

export function dataProblem(data: unknown): string | undefined {
  if (typeof data === "string" || data === null || data instanceof Uint8Array) return undefined;
  return `data must be bytes, a string or null, not ${typeof data}; give a codec for anything else`;
}

/** Data as bytes or text, or what is wrong with it. */
function encode(value: unknown, codec: MaybeCodec["codec"]): { data: Data } | { problem: string } {
  let data = value;
  try {
    if (codec !== undefined) data = codec.encode(value);
  } catch (error) {
    return { problem: `its codec cannot encode the data: ${error instanceof Error ? error.message : String(error)}` };
  }
  const problem = dataProblem(data);
  return problem === undefined ? { data: data as Data } : { problem };
}

/** For writes that compare their data with what is found. @throws BadArgumentsError */
export function encoded(op: string, path: string, value: unknown, codec: MaybeCodec["codec"]): Data {
  const result = encode(value, codec);
  if ("data" in result) return result.data;
  throw requestError(ErrorCode.BADARGUMENTS, { op, path, detail: result.problem });
}

export function giveData(request: Request, value: unknown, codec: MaybeCodec["codec"]): void {
  const result = encode(value, codec);
  if ("data" in result) request.data = result.data;
  else refuse(request, result.problem);
}
