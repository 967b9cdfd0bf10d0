// The membership lines of a configuration, and why a standalone server refuses most of them.
// Facts: reference/disk-format.md section 6; QuorumPeerConfig.parseDynamicConfig.

import type { ConfigProblem } from "./config-error.ts";
import { type Member, type Membership, parseGroupLine, parseServerLine, Role, readWholeNumber } from "./membership.ts";
import { type Given, place, type Readings } from "./readings.ts";

/** Parses server.N, group.N and weight.N lines, with an error for each that makes no sense. */
export function readMembership({ patterned, given, errors }: Readings): Membership {
  const members: Member[] = [];
  const groups = new Map<number, readonly number[]>();
  const weights = new Map<number, number>();
  const bad = (value: Given, message: string, hint: string): void => {
    errors.push({ ...place(value), message, hint });
  };
  const severalAddresses = given.get("multiAddress.enabled")?.value.toLowerCase() === "true";
  for (const { name, part, given: value } of patterned) {
    if (name !== "server.N" && name !== "group.N" && name !== "weight.N") continue;
    const id = readWholeNumber(part);
    if (id === undefined) {
      bad(value, `"${part}" is not a number`, `Write ${name.replace("N", "1")}=...`);
    } else if (given.has("dynamicConfigFile")) {
      bad(value, "stands beside dynamicConfigFile", "Move it to that file.");
    } else if (name === "server.N") {
      const member = parseServerLine(id, value.value);
      if ("problem" in member) {
        bad(value, `"${value.value}": ${member.problem}`, `Write ${value.key}=host:2888:3888;2181, for example.`);
      } else if (member.addresses.length > 1 && !severalAddresses) {
        bad(value, "has several addresses", "Write multiAddress.enabled=true as well, or keep one.");
      } else {
        members.push(member);
      }
    } else if (name === "group.N") {
      const ids = parseGroupLine(value.value);
      if (ids === undefined)
        bad(value, `"${value.value}" cannot be used`, "Write the ids of servers, for example 1:2:3.");
      else groups.set(id, ids);
    } else {
      const weight = readWholeNumber(value.value);
      if (weight === undefined) bad(value, `"${value.value}" cannot be used`, "Write a whole number from 0 up.");
      else weights.set(id, weight);
    }
  }
  members.sort((left, right) => left.id - right.id);
  return { members, groups, weights };
}

const notBuilt = "The ensemble is not built yet: this version runs one standalone server";

/** Running alone on a configuration that means one of several servers would split its data from theirs. */
export function checkMembership({ members }: Membership, readings: Readings): void {
  const { given, patterned, values, errors, warnings } = readings;
  const refuse = (value: Given | undefined, key: string, message: string, hint: string): void => {
    const where: Pick<ConfigProblem, "file" | "line" | "key"> =
      value === undefined ? { file: readings.file, line: undefined, key } : place(value);
    errors.push({ ...where, message, hint });
  };
  const dynamic = given.get("dynamicConfigFile");
  if (dynamic !== undefined) refuse(dynamic, "dynamicConfigFile", notBuilt, "Remove it to run this server alone.");
  if (!values.standaloneEnabled) {
    refuse(given.get("standaloneEnabled"), "standaloneEnabled", notBuilt, "Write standaloneEnabled=true.");
  }
  const lines = patterned.filter(({ name }) => name === "server.N");
  const participants = members.filter(({ role }) => role === Role.participant);
  const line = lines[0]?.given;
  if (participants.length > 1) {
    refuse(
      line,
      "server",
      `${notBuilt}, and ${participants.length} are listed`,
      "Keep one server line to run it alone.",
    );
  } else if (members.length > participants.length) {
    refuse(line, "server", "an observer needs an ensemble to observe", "Remove its server line.");
  } else if (participants.length === 1 && line !== undefined) {
    const message = "the only server; it runs standalone, as in Apache ZooKeeper";
    warnings.push({ ...place(line), message, hint: "" });
  }
}
