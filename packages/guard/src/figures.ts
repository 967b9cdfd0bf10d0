/** The figures by which a request's cost is judged. Of all of them less is better. */
import type { CountName } from "./counts.ts";

export type FigureName = "heap" | "buffers" | "copied" | CountName;
export type Figures = Readonly<Record<FigureName, number>>;

export interface Figure {
  readonly name: FigureName;
  readonly about: string;
  /** It is given per this many requests. */
  readonly per: 1 | 1000;
  /** How much more than the budget is still called the same, as a part of it: what one run differs from another. */
  readonly tolerance: number;
  /** Up to so much more is the same in any case. */
  readonly slack?: number;
}

/** Less than V8's smallest object: what is compiled a little differently is no finding, one object per request is. */
const HEAP_SLACK_BYTES = 8;

export const figures: readonly Figure[] = [
  { name: "heap", about: "bytes allocated on the JavaScript heap", per: 1, tolerance: 0.02, slack: HEAP_SLACK_BYTES },
  { name: "buffers", about: "bytes of ArrayBuffers allocated", per: 1, tolerance: 0.05 },
  { name: "copied", about: "bytes copied", per: 1, tolerance: 0 },
  { name: "socketBytes", about: "bytes written to sockets", per: 1, tolerance: 0 },
  { name: "diskBytes", about: "bytes written to disk", per: 1, tolerance: 0 },
  { name: "socketWrites", about: "writes to sockets", per: 1000, tolerance: 0 },
  { name: "diskWrites", about: "writes to disk", per: 1000, tolerance: 0 },
  { name: "diskSyncs", about: "syncs of the disk", per: 1000, tolerance: 0 },
  { name: "timers", about: "timers set", per: 1000, tolerance: 0 },
  { name: "deferred", about: "calls put off to a later turn of the event loop", per: 1000, tolerance: 0 },
  { name: "turns", about: "turns of the event loop until all is answered", per: 1000, tolerance: 0 },
];
