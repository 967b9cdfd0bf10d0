// The membership lines of a configuration, and what they need beside them.
// Facts: reference/disk-format.md section 6; QuorumPeerConfig.parseDynamicConfig.

import {
  type Member,
  type Membership,
  parseGroupLine,
  parseServerLine,
  Role,
  readWholeNumber,
} from "@vivarium/protocol";
import type { ConfigProblem } from "./config-error.ts";
import { type Given, place, type Readings } from "./readings.ts";

/** Parses server.N, group.N and weight.N lines, with an error for each that makes no sense. */
export function readMembership({ file, patterned, given, errors }: Readings): Membership {
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
    } else if (given.has("dynamicConfigFile") && value.file === file) {
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

/** Whether a server with this configuration is a member of an ensemble, or runs alone. */
export function isDistributed({ members }: Membership, standaloneEnabled: boolean): boolean {
  const participants = members.filter(({ role }) => role === Role.participant);
  return participants.length > 1 || (!standaloneEnabled && participants.length > 0);
}

/** What is missing from the configuration of an ensemble, and what a server that runs alone will not heed. */
export function checkMembership(membership: Membership, readings: Readings): void {
  const { members } = membership;
  const { given, patterned, values, errors, warnings } = readings;
  const refuse = (value: Given | undefined, key: string, message: string, hint: string): void => {
    const where: Pick<ConfigProblem, "file" | "line" | "key"> =
      value === undefined ? { file: readings.file, line: undefined, key } : place(value);
    errors.push({ ...where, message, hint });
  };
  const line = patterned.find(({ name }) => name === "server.N")?.given;
  const participants = members.filter(({ role }) => role === Role.participant);
  if (isDistributed(membership, values.standaloneEnabled)) {
    for (const key of ["initLimit", "syncLimit"] as const) {
      const value = values[key] ?? 0;
      if (value >= 1) continue;
      const message = given.has(key) ? `${value} ticks are no time at all` : "required in an ensemble";
      refuse(given.get(key), key, message, `Write ${key}=${key === "initLimit" ? 10 : 5}.`);
    }
    if (membership.groups.size > 0) checkGroups(membership, (message, hint) => refuse(line, "group", message, hint));
  } else if (!values.standaloneEnabled) {
    const hint = "List the servers, or write standaloneEnabled=true.";
    refuse(given.get("standaloneEnabled"), "standaloneEnabled", "false, and no server is listed", hint);
  } else if (members.length > participants.length) {
    refuse(line, "server", "an observer needs an ensemble to observe", "Remove its server line.");
  } else if (participants.length === 1 && line !== undefined) {
    const message = "the only server; it runs standalone, as in Apache ZooKeeper";
    warnings.push({ ...place(line), message, hint: "" });
  }
}

/** The number of this server, which must be one of the members. */
export function checkOwnId({ members }: Membership, readings: Readings): number | undefined {
  const { id, idFile, errors, file } = readings;
  const listed = members.map((member) => `server.${member.id}`).join(", ");
  const problem = { file: idFile ?? file, line: undefined, key: "myid" };
  if (id === undefined) {
    const message = "missing, or not a whole number: it tells which of the servers this is";
    errors.push({ ...problem, message, hint: `Write the number alone on its first line; the servers are ${listed}.` });
  } else if (!members.some((member) => member.id === id)) {
    const hint = `Correct it, or add a server.${id} line on every server. The servers are ${listed}.`;
    errors.push({ ...problem, message: `${id}, but no server.${id} is configured`, hint });
  }
  return id;
}

/** With groups, every participant votes in exactly one. */
function checkGroups({ members, groups }: Membership, refuse: (message: string, hint: string) => void): void {
  for (const { id, role } of members) {
    const inGroups = [...groups.values()].filter((ids) => ids.includes(id)).length;
    if (role === Role.participant && inGroups === 0) {
      refuse(`server ${id} is in no group`, "Add it to one group.N line.");
    } else if (inGroups > 1) {
      refuse(`server ${id} is in ${inGroups} groups`, "Leave it in one.");
    }
  }
}
