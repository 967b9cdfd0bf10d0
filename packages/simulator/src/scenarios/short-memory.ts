import type { Edit } from "./scenario.ts";

/** Servers remember two transactions instead of 500 at least: plays need not write so often to be beyond that. */
export const shortMemory: Edit = { file: "zab/committed-log.ts", from: "this.#limit = limit;", to: "this.#limit = 2;" };

/** Then whoever missed more than they remember gets a snapshot. */
export const NOT_FROM_DISK = "snapshotSizeFactor=-1";
