/**
 * The requests whose cost is guarded. Each is what every connection sends in one round; a round is sent in one turn and
 * ends when all of it is answered. So "20 in flight" shows what a busy server does, and "one at a time" what one waits for.
 */
import { type Request, requests } from "./requests.ts";

export interface Workload {
  readonly name: string;
  readonly servers: 1 | 3;
  readonly connections: number;
  /** What a round counts as: requests, mostly; sets for the fan-out. */
  readonly requestsPerRound: number;
  /** How often the round is played for one measurement. */
  readonly rounds: number;
  /** Packets that a connection gets per round. */
  readonly packets: (connection: number) => number;
  readonly prepare: readonly Request[];
  /** What a connection sends in the given round. No round comes twice. */
  readonly sends: (connection: number, round: number) => Request[];
}

const VALUE_BYTES = 1024;
const SMALL_BYTES = 100;
const NODES = 1000;
const CHILDREN = 100;
const WATCHERS = 100;
const OPS = 10;

const node = (index: number): string => `/guard/n${String(index % NODES).padStart(7, "0")}`;
const nodes = (size: number): Request[] => [
  requests.create("/guard", 0),
  ...Array.from({ length: NODES }, (_, index) => requests.create(node(index), size)),
];

interface Busy {
  readonly servers?: 1 | 3;
  readonly connections?: number;
  readonly window?: number;
  readonly rounds?: number;
  readonly prepare?: readonly Request[];
}

/** Every connection keeps `window` requests in flight; `of` makes the request with a number that none had before. */
function busy(name: string, of: (number: number) => Request, options: Busy = {}): Workload {
  const { servers = 1, connections = 50, window = 20, rounds = 1, prepare = nodes(VALUE_BYTES) } = options;
  return {
    name,
    servers,
    connections,
    requestsPerRound: connections * window,
    rounds,
    prepare,
    packets: () => window,
    sends: (connection, round) => {
      const first = (round * connections + connection) * window;
      return Array.from({ length: window }, (_, index) => of(first + index));
    },
  };
}

const alone = { connections: 1, window: 1, rounds: 500 };
const getData = (number: number): Request => requests.getData(node(number));
const setData = (number: number): Request => requests.setData(node(number), VALUE_BYTES);

/** One connection sets a node that all the others watch, and they watch it again. */
const fanOut: Workload = {
  name: "setData, 100 watchers",
  servers: 1,
  connections: 1 + WATCHERS,
  requestsPerRound: 1,
  rounds: 20,
  prepare: nodes(SMALL_BYTES),
  packets: (connection) => (connection < WATCHERS ? 2 : 1),
  sends: (connection) =>
    connection < WATCHERS ? [requests.getData(node(0), true)] : [requests.setData(node(0), SMALL_BYTES)],
};

export const workloads: readonly Workload[] = [
  busy("ping", () => requests.ping()),
  busy("exists", (number) => requests.exists(node(number))),
  busy("getData 1 KiB", getData),
  busy("getData 1 KiB, alone", getData, alone),
  busy("getChildren of 100", () => requests.getChildren("/guard/parent"), {
    prepare: [
      requests.create("/guard", 0),
      requests.create("/guard/parent", 0),
      ...Array.from({ length: CHILDREN }, (_, index) =>
        requests.create(`/guard/parent/child-${String(index).padStart(4, "0")}`, 0),
      ),
    ],
  }),
  busy("setData 1 KiB", setData),
  busy("setData 1 KiB, alone", setData, alone),
  busy("create 100 B", (number) => requests.create(`/guard/c${number}`, SMALL_BYTES), { rounds: 5 }),
  busy("2:1 reads and sets", (number) => (number % 3 === 2 ? setData(number) : getData(number))),
  busy(
    "multi of 10 sets",
    (number) => {
      const paths = Array.from({ length: OPS }, (_, index) => node(number * OPS + index));
      return requests.multiSet(paths, SMALL_BYTES);
    },
    { connections: 10 },
  ),
  fanOut,
  busy("setData 1 KiB, 3 servers", setData, { servers: 3, connections: 30 }),
];
