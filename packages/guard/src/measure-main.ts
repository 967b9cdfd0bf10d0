/** A process that measures the workload that its argument names. */
import process from "node:process";
import { printMeasured } from "./print-measured.ts";

await printMeasured(process.argv[2]);
