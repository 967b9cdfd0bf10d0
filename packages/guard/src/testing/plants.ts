/** Ways to make a server worse than it is, each by little: what the guard is there to find. */
import type { Connection, Network } from "@vivarium/runtime";
import type { Plant } from "../stage.ts";

const nothing = (): void => {};

/** The server does something more for every transaction that it applies. */
const forEachWrite =
  (act: (ports: Parameters<Plant>[0]) => () => void): Plant =>
  (ports) => ({ ...ports, onApplied: act(ports) });

/** The last closure made for a request: something must hold it, or V8 makes none. */
let kept: () => unknown = nothing;

export const plants = {
  none: (ports) => ports,
  "copies what arrives": (ports) => ({ ...ports, network: copying(ports.network) }),
  "a closure per write": forEachWrite(() => {
    let count = 0;
    return () => {
      const number = count++;
      kept = () => number + Number(kept === nothing);
    };
  }),
  "another turn per write": forEachWrite(
    ({ clock }) =>
      () =>
        clock?.defer(nothing),
  ),
  "a timer per write": forEachWrite(
    ({ clock }) =>
      () =>
        clock?.setTimer(1000, nothing).cancel(),
  ),
  "syncs twice": (ports) => {
    const { disk } = ports;
    if (disk === undefined) return ports;
    const open: typeof disk.open = async (path, mode) => {
      const file = await disk.open(path, mode);
      const writeDurably: typeof file.writeDurably = async (bytes, position) => {
        await file.writeDurably(bytes, position);
        await file.datasync();
      };
      return { ...file, writeDurably };
    };
    return { ...ports, disk: { ...disk, open } };
  },
} satisfies Record<string, Plant>;

export type PlantName = keyof typeof plants;

function copying(network: Network | undefined): Network {
  if (network === undefined) throw new Error("no network to make worse");
  const worse = (connection: Connection): void => {
    const { onData } = connection;
    connection.onData = (chunk) => onData(chunk.slice());
  };
  return {
    connect: (options) => network.connect(options),
    listen: (options, onConnection) =>
      network.listen(options, (connection) => {
        onConnection(connection);
        worse(connection);
      }),
  };
}
