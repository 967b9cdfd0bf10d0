/** Codecs turn a node's bytes into values and back: text, JSON, JSON checked by any Standard Schema validator, gzip. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Data } from "./request.ts";

export interface DataCodec<T> {
  encode(value: T): Data;
  /** `path` is for error messages. May throw: the call then rejects. */
  decode(data: Buffer | null, path: string): T | Promise<T>;
}

/** A node's data that is not what its codec expects. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly path: string;
  /** What a validator objected to, if one did. */
  readonly issues: readonly SchemaIssue[];

  constructor(path: string, message: string, options: { issues?: readonly SchemaIssue[]; cause?: unknown } = {}) {
    super(`${path}: ${message}`, options.cause === undefined ? {} : { cause: options.cause });
    this.path = path;
    this.issues = options.issues ?? [];
  }
}

/** UTF-8 text; a node without data reads as "". */
export const text: DataCodec<string> = {
  encode: (value) => value,
  decode: (data) => (data === null ? "" : data.toString("utf8")),
};

/** JSON of any shape: the type is the caller's claim. Use `schema` to have it checked. */
export function json<T = unknown>(): DataCodec<T> {
  return { encode: encodeJson, decode: (data, path) => parseJson(data, path) as T };
}

function encodeJson(value: unknown): string {
  const encoded = JSON.stringify(value);
  if (encoded === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return encoded;
}

function parseJson(data: Buffer | null, path: string): unknown {
  if (data === null || data.length === 0) throw new CodecError(path, "no data where JSON is expected");
  try {
    return JSON.parse(data.toString("utf8"));
  } catch (cause) {
    throw new CodecError(path, `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * JSON that `validator` accepts, after whatever defaults and transformations it makes. A value whose JSON it would not
 * accept is not written either, unless the validator is asynchronous: a write cannot wait for it without losing its
 * place among the calls.
 */
export function schema<Output>(validator: StandardSchema<unknown, Output>): DataCodec<Output> {
  return {
    encode: (value) => {
      const encoded = encodeJson(value);
      const result = validator["~standard"].validate(JSON.parse(encoded));
      if (result instanceof Promise) result.catch(() => undefined);
      else if (result.issues !== undefined) throw new TypeError(objection(result.issues));
      return encoded;
    },
    decode: async (data, path) => {
      const result = await validator["~standard"].validate(parseJson(data, path));
      if (result.issues === undefined) return result.value;
      throw new CodecError(path, objection(result.issues), { issues: result.issues });
    },
  };
}

/** The first thing that a validator objects to, and where: `port: must be a number`. */
function objection([first]: readonly SchemaIssue[]): string {
  const place = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  const message = first?.message ?? "refused by its schema";
  return place === "" ? message : `${place}: ${message}`;
}

/** Compresses what another codec makes, in the gzip format that Curator's compression provider uses too. */
export function gzip<T>(codec: DataCodec<T>): DataCodec<T> {
  return {
    encode: (value) => {
      const data = codec.encode(value);
      return data === null ? null : gzipSync(data);
    },
    decode: (data, path) => codec.decode(data === null ? null : unzipped(data, path), path),
  };
}

function unzipped(data: Buffer, path: string): Buffer {
  try {
    return gunzipSync(data);
  } catch (cause) {
    throw new CodecError(path, `not gzip: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The interface that Zod, Valibot, ArkType and others share. @see https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };
