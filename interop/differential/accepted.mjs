// The differences from Apache ZooKeeper 3.9.5 that we mean. Each row is explained in docs/compatibility.md under the
// same name; a row that nothing matches any more is to be removed there and here.

import { isDeepStrictEqual } from "node:util";
import { In } from "../lib/jute.mjs";

/**
 * @typedef {object} AcceptedDifference
 * @property {string} name
 * @property {(step: object, apache: any, ours: any) => boolean} matches whether this row explains all that differs in
 *   one piece of what a step showed: an arrival, a node, a log record, a line
 */

/** @type {AcceptedDifference[]} */
export const accepted = [
  {
    name: "multi-read-partial-body",
    matches: (_step, apache, ours) =>
      ours?.name === "multiRead" && ours.err === -5 && isDeepStrictEqual(without(apache, "value"), ours),
  },
  {
    name: "undecodable-log-records",
    matches: ({ kind, name }, _apache, ours) => kind === "final" && name === "repeated log records" && ours === 0,
  },
  {
    name: "failed-multi-log-record",
    matches: ({ kind, name }, apache, ours) =>
      kind === "final" &&
      name === "log" &&
      apache.type === 14 &&
      withoutUndone(apache.body) === withoutUndone(ours.body),
  },
  {
    name: "idle-watchers",
    matches: ({ name }, apache, ours) =>
      name === "word wchc"
        ? apache?.length === 0 && ours === undefined
        : name === "word wchs" && withoutConnections(apache) === withoutConnections(ours),
  },
  {
    name: "dump-idle-owners",
    matches: ({ name }, apache, ours) =>
      name === "word dump" && isDeepStrictEqual(withoutEmpty(apache), withoutEmpty(ours)),
  },
  {
    name: "digest-of-error-record",
    matches: ({ name }, apache, ours) =>
      name === "log" && apache.type === -1 && isDeepStrictEqual({ ...apache, hasDigest: false }, ours),
  },
  {
    name: "auth-acl-order",
    matches: (_step, apache, ours) => isDeepStrictEqual(sortedAcls(apache), sortedAcls(ours)),
  },
  {
    name: "internal-requests-refused",
    matches: ({ name }, _apache, ours) =>
      (name === "deleteContainer" || name === "createSession") &&
      (ours === undefined || ours.kind === "closed" || (ours.kind === "reply" && ours.err === -6)),
  },
  {
    name: "ill-formed-utf8",
    matches: (_step, apache, ours) => isDeepStrictEqual(plainText(apache), plainText(ours)),
  },
];

/**
 * Apache's server writes a character beyond U+FFFF as two surrogates of three bytes each, and reads a malformed
 * sequence as one replacement character where others read one for each byte. All these become one and the same sign.
 */
function plainText(value) {
  if (typeof value === "string") {
    if (/^[0-9a-f]+$/.test(value) && /eda[0-9a-f]{3}edb|f09f9880|efbfbd/.test(value)) return "a log record with them";
    const text = value.startsWith("bytes ") ? Buffer.from(value.slice(6), "hex").toString("utf8") : value;
    return text.replaceAll(/[\u{10000}-\u{10ffff}\ufffd]+/gu, "\ufffd");
  }
  if (Array.isArray(value)) return value.map(plainText);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainText(each)]));
}

const without = (object, key) => Object.fromEntries(Object.entries(object ?? {}).filter(([each]) => each !== key));

/** The body of a failed multi from the part that failed on: in front, Apache has what was undone, we an error 0. */
function withoutUndone(body) {
  const input = new In(Buffer.from(body, "hex"));
  const parts = Array.from({ length: input.int() }, () => `${input.int()} ${input.buffer().toString("hex")}`);
  const failedAt = parts.findIndex((part) => part.startsWith("-1 ") && part !== "-1 00000000");
  return failedAt === -1 ? body : `${parts.length}: ${parts.slice(failedAt).join(", ")}`;
}

const withoutConnections = (text) => String(text).replace(/^\d+ connections/, "n connections");
const withoutEmpty = (lists) => Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));

const letters = (text) => [...text].sort().join("");

/**
 * The same with every ACL that names several digests in one order, and the bytes of log records likewise: "auth" in an
 * ACL stands for all identities of its connection, which Apache's server keeps in a hash table.
 */
function sortedAcls(value, key) {
  if (Array.isArray(value)) {
    const items = value.map((each) => sortedAcls(each));
    const several = items.filter((each) => each?.scheme === "digest").length > 1;
    return key === "acl" && several ? items.map((each) => JSON.stringify(each)).sort() : items;
  }
  if (key === "body" && typeof value === "string") return letters(value);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sortedAcls(each, name)]));
}
