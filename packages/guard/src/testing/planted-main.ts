/** As `measure-main.ts`, with a server that the plant named by the first argument has made worse. */
import process from "node:process";
import { printMeasured } from "../print-measured.ts";
import { type PlantName, plants } from "./plants.ts";

await printMeasured(process.argv[3], plants[process.argv[2] as PlantName]);
