/** Bodies of requests, encoded once and sent many times. */
import { type Codec, encode } from "@vivarium/jute";
import {
  CreateMode,
  CreateRequest,
  DeleteRequest,
  MultiRequest,
  OPEN_ACL_UNSAFE,
  SetDataRequest,
  WatchedPathRequest,
} from "@vivarium/protocol";

const of =
  <T, A extends unknown[]>(codec: Codec<T>, value: (...args: A) => T) =>
  (...args: A): Uint8Array =>
    encode(codec, value(...args));

export const createValue = (path: string, data: Uint8Array, flags: number = CreateMode.PERSISTENT) => ({
  path,
  data,
  acl: OPEN_ACL_UNSAFE,
  flags,
});

export const bodies = {
  create: of(CreateRequest, createValue),
  delete: of(DeleteRequest, (path: string) => ({ path, version: -1 })),
  read: of(WatchedPathRequest, (path: string, watch = false) => ({ path, watch })),
  setData: of(SetDataRequest, (path: string, data: Uint8Array) => ({ path, data, version: -1 })),
  multi: of(MultiRequest, (ops: Parameters<typeof MultiRequest.write>[1]) => ops),
};

/** `size` bytes that nobody looks at. */
export function dataOf(size: number): Uint8Array {
  return new Uint8Array(size).fill(120);
}

/** `count` children of `parent`, with names as long as each other. */
export function childPaths(parent: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${parent}/n${String(index).padStart(7, "0")}`);
}
