/**
 * What a request may cost: rows are workloads, columns figures, in the units of `figures.ts`. Everything here was
 * measured; `npm run guard -- --budget` prints the rows anew. A higher number needs its reason in the commit message.
 */
import { type Figures, figures } from "./figures.ts";

/** How much JavaScript's own objects take depends on V8: these were measured with Node.js of this major version. */
export const HEAP_MEASURED_ON_NODE = 20;

// biome-ignore format: a table
const rows: readonly [workload: string, ...figures: number[]][] = [
  //                               heap  buffers   copied socketBytes diskBytes socketWrites diskWrites diskSyncs timers deferred  turns
  ["ping",                        27.6,       0,       0,         20,        0,          50,         0,        0,     0,       1,    1],
  ["exists",                      27.6,       0,       0,         88,        0,          50,         0,        0,     0,       1,    1],
  ["getData 1 KiB",              123.6,       0,    1024,       1116,        0,          50,         0,        0,     0,       1,    1],
  ["getData 1 KiB, alone",       608.4,       0,    1024,       1116,        0,        1000,         0,        0,     0,    1000, 1000],
  ["getChildren of 100",          40.4,       0,       0,       1424,        0,          50,         0,        0,     0,       1,    1],
  ["setData 1 KiB",             1453.4,       0,    4231,         88,     1108,          50,         1,        1,     0,       1,    2],
  ["setData 1 KiB, alone",      5225.9,       0,    4231,         88,     1108,        1000,      1000,     1000,     0,    1000, 2000],
  ["create 100 B",              1555.7,   293.9,     616,         37,      210,          50,         1,        1,     0,       1,    2],
  ["2:1 reads and sets",         663.9,    13.1,  2091.9,      773.7,      369,          83,         1,        1,     0,       2,    2],
  ["multi of 10 sets",         15429.8,     680,    5470,        799,     1411,          50,         5,        5,     0,       5,   10],
  ["setData, 100 watchers",    56973.2,      64,    5118,      23988,      184,      201000,      1000,     1000,     0,    2000, 2000],
  ["setData 1 KiB, 3 servers",  9436.2, 12541.3, 19642.5,     3135.3,     3324,        66.7,       6.7,      6.7,     0,    43.3,   15],
];

export const budgets: ReadonlyMap<string, Figures> = new Map(
  rows.map(([workload, ...values]) => [
    workload,
    Object.fromEntries(figures.map(({ name }, index) => [name, values[index]])) as Figures,
  ]),
);
