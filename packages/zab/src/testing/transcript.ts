/**
 * Machines by text: one input a line, what comes out below it, compared as a whole.
 *
 *   learner id=1 last=1.2 accepted=1 current=1        a new machine; also leader, election; off=rule switches one off
 *   packet PROPOSAL 1.3                               for a leader: packet <link> …
 *   tick 500                                          sets the time
 *   committedLog                                      shows it
 *   disconnected 3                                    for an election: server 3 is not reachable any more
 *
 * A zxid is written epoch.counter.
 */
import { encode, int } from "@vivarium/jute";
import {
  LearnerInfo,
  makeZxid,
  NO_VOTE,
  type Notification,
  QUORUM_PROTOCOL_VERSION,
  type QuorumPacket,
  QuorumPacketType,
  quorumPacket,
  quorumPacketName,
  Role,
  ServerState,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from "@vivarium/protocol";
import { CommittedLog } from "../committed-log.ts";
import type { ElectionInput } from "../election-io.ts";
import { FastLeaderElection } from "../fast-leader-election.ts";
import { Leader } from "../leader.ts";
import type { LeaderInput } from "../leader-io.ts";
import { Learner } from "../learner.ts";
import type { LearnerInput } from "../learner-io.ts";
import { majority, Quorums } from "../quorum-verifier.ts";
import { allRules, type Rules } from "../rules.ts";

type Values = Record<string, string>;
type Machine = { step(input: unknown, nowMs: number): { type: string }[] };

const timing = { tickTimeMs: 100, initLimit: 10, syncLimit: 5 };

function parseZxid(text = "0.0"): Zxid {
  const [epoch, counter] = text.split(".").map(Number) as [number, number];
  return makeZxid(epoch, counter);
}

function zxidText(zxid: Zxid): string {
  return zxid < 0 ? "-" : `${zxidEpoch(zxid)}.${zxidCounter(zxid)}`;
}

const entry = (zxid: Zxid): Uint8Array => Uint8Array.of(zxid % 251);

function parsePacket([name = "", zxid, value = ""]: string[]): QuorumPacket {
  const type = QuorumPacketType[name as keyof typeof QuorumPacketType];
  if (type === undefined) throw new Error(`no packet is called ${name}`);
  return quorumPacket(type, zxid === undefined ? -1 : parseZxid(zxid), packetBytes(type, parseZxid(zxid), value));
}

function packetBytes(type: number, zxid: Zxid, value: string): Uint8Array | null {
  switch (type) {
    case QuorumPacketType.PROPOSAL:
    case QuorumPacketType.INFORM:
      return entry(zxid);
    case QuorumPacketType.FOLLOWERINFO:
    case QuorumPacketType.OBSERVERINFO:
      return encode(LearnerInfo, {
        serverid: Number(value),
        protocolVersion: QUORUM_PROTOCOL_VERSION,
        configVersion: 0,
      });
    case QuorumPacketType.ACKEPOCH:
      return encode(int, Number(value));
    case QuorumPacketType.LEADERINFO:
      return encode(int, QUORUM_PROTOCOL_VERSION);
    default:
      return null;
  }
}

function parseValues(words: readonly string[]): Values {
  return Object.fromEntries(words.map((word) => word.split("=") as [string, string]));
}

function newLog(values: Values): CommittedLog {
  const log = new CommittedLog(parseZxid(values["first"] ?? values["last"]));
  for (const text of (values["log"] ?? "").split(",").filter((part) => part !== "")) {
    log.add(parseZxid(text), entry(parseZxid(text)));
  }
  return log;
}

interface World {
  readonly committedLog: CommittedLog;
  /** Servers to which there is no connection. */
  readonly lost: Set<number>;
  readonly off: string | null;
}

function newMachine(kind: string, values: Values, { committedLog, lost, off }: World): Machine {
  const rules: Rules = { ...allRules, ...(off === null ? {} : { [off]: false }) };
  const id = Number(values["id"]);
  const lastZxid = parseZxid(values["last"]);
  const acceptedEpoch = Number(values["accepted"] ?? 0);
  const currentEpoch = Number(values["current"] ?? acceptedEpoch);
  const quorums = new Quorums(majority((values["voters"] ?? "1,2,3").split(",").map(Number)));
  if (kind === "election") {
    const participant = values["role"] !== "observer";
    const isReachable = (server: number) => !lost.has(server);
    return new FastLeaderElection({ id, participant, quorums, rules, isReachable }) as Machine;
  }
  const options = { id, ...timing, acceptedEpoch, currentEpoch, lastZxid, committedLog, rules };
  if (kind === "leader") {
    const concurrentSyncs = { snap: Number(values["snaps"] ?? 10), diff: Number(values["diffs"] ?? 100) };
    return new Leader({ ...options, quorums, concurrentSyncs, config: () => "version=0" }) as Machine;
  }
  const role = values["role"] === "observer" ? Role.observer : Role.participant;
  return new Learner({ ...options, role, configVersion: 0 }) as Machine;
}

function parseNotification(values: Values): Notification {
  return {
    state: ServerState[values["state"] as keyof typeof ServerState],
    leader: values["leader"] === "none" ? NO_VOTE : Number(values["leader"]),
    zxid: parseZxid(values["zxid"]),
    electionEpoch: Number(values["round"]),
    peerEpoch: Number(values["epoch"] ?? 0),
    version: Number(values["version"] ?? 2),
    config: null,
  };
}

function parseInput(kind: string, words: readonly string[]): ElectionInput | LeaderInput | LearnerInput {
  const [type = "", first = "", ...rest] = words;
  switch (type) {
    case "packet":
      if (kind === "learner") return { type, packet: parsePacket([first, ...rest]) };
      return { type, link: Number(first), packet: parsePacket(rest) };
    case "connected":
      return { type, link: Number(first) };
    case "disconnected":
      return kind === "election" ? { type } : { type, link: Number(first) };
    case "snapshotSent":
      return { type, link: Number(first) };
    case "acceptedEpochStored":
    case "currentEpochStored":
    case "established":
      return { type, epoch: Number(first) };
    case "propose":
      return { type, zxid: parseZxid(first), entry: entry(parseZxid(first)) };
    case "flushed":
    case "applied":
    case "truncated":
    case "snapshotStored":
      return { type, zxid: parseZxid(first) };
    case "logRead": {
      if (rest[0] === undefined) return { type, link: Number(first), entries: null };
      const zxids = rest[0].split(",").map(parseZxid);
      return { type, link: Number(first), entries: zxids.map((zxid) => ({ zxid, entry: entry(zxid) })) };
    }
    case "sync":
      return { type, link: first === "own" ? null : Number(first), id: Number(rest[0]) };
    case "look":
      return { type, zxid: parseZxid(first), peerEpoch: Number(rest[0]) };
    case "notification":
      return { type, from: Number(first), notification: parseNotification(parseValues(rest)) };
    case "start":
    case "tick":
    case "snapshotReceived":
      return { type } as LearnerInput;
    default:
      throw new Error(`no input is called ${type}`);
  }
}

const voteText = ({ leader, zxid, electionEpoch, peerEpoch }: Omit<Notification, "state" | "version" | "config">) =>
  leader === NO_VOTE ? "nobody" : `${leader} at ${zxidText(zxid)} of epoch ${peerEpoch} in round ${electionEpoch}`;

const stateName = (state: number): string => Object.keys(ServerState)[state] as string;

function outputText(output: Record<string, unknown> & { type: string }): string {
  const words = [output.type];
  for (const [key, value] of Object.entries(output)) {
    if (key === "type" || key === "entry" || key === "text" || key === "data") continue;
    if (key === "packet") {
      const { type, zxid } = value as QuorumPacket;
      words.push(quorumPacketName(type), zxidText(zxid));
    } else if (key === "notification") {
      words.push(stateName((value as Notification).state), voteText(value as Notification));
    } else if (key === "vote") words.push(voteText(value as Notification));
    else if (key === "state") words.push(stateName(value as number));
    else if (key === "zxid" || key === "from" || key === "through") words.push(zxidText(value as number));
    else words.push(String(value));
  }
  return words.join(" ");
}

/** Runs the inputs of a transcript; with `off`, all machines in it have that rule switched off. */
export function runTranscript(text: string, off: string | null = null): string {
  let machine: Machine | null = null;
  let kind = "";
  let log = new CommittedLog(0);
  const lost = new Set<number>();
  let nowMs = 0;
  const result: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#") || line === "") result.push(line);
    if (line.startsWith("#") || line === "" || line.startsWith("  ")) continue;
    result.push(line);
    const words = line.trim().split(/\s+/);
    const [type = ""] = words;
    if (type === "learner" || type === "leader" || type === "election") {
      kind = type;
      nowMs = 0;
      const values = parseValues(words.slice(1));
      log = newLog(values);
      lost.clear();
      machine = newMachine(kind, values, { committedLog: log, lost, off });
      continue;
    }
    if (type === "committedLog") {
      result.push(
        `  ${zxidText(log.before)} | ${log
          .after(log.before)
          .map(({ zxid }) => zxidText(zxid))
          .join(" ")}`,
      );
      continue;
    }
    if (type === "disconnected") lost.add(Number(words[1]));
    if (type === "tick") nowMs = Number(words[1]);
    for (const output of machine?.step(parseInput(kind, words), nowMs) ?? []) {
      result.push(`  ${outputText(output as Record<string, unknown> & { type: string })}`);
    }
  }
  return result.join("\n");
}
