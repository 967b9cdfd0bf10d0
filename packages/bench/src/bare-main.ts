/** The bare server as a process of its own: `node bare-main.js PORT FILE VALUE_BYTES`. */
import { NodeDisk, NodeNetwork } from "@vivarium/runtime";
import { BareServer } from "./bare-server.ts";

const [port = "0", file = "bare.log", valueBytes = "1024"] = process.argv.slice(2);
const ports = { network: new NodeNetwork(), disk: new NodeDisk() };
const server = await BareServer.start({ ...ports, file, port: Number(port), valueBytes: Number(valueBytes) });
process.on("SIGTERM", () => void server.stop().then(() => process.exit(0)));
