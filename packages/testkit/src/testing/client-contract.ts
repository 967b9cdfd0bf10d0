/**
 * The client's contract, which the client's own package keeps among its tests: loaded from where it was built, as
 * `npm run interop` does, because it is part of no package's door.
 */
import type { ClientOptions, ZooKeeper } from "@vivarium/client";

export interface ContractProxy {
  readonly connectString: string;
  accepts: boolean;
  mutesServer: boolean;
  cut(): void;
  stop(): Promise<void>;
}

export interface ContractContext {
  server: string;
  connectString: string;
  zk: ZooKeeper;
  connect(options?: ClientOptions): Promise<ZooKeeper>;
  connectThrough(options?: ClientOptions): Promise<{ zk: ZooKeeper; proxy: ContractProxy }>;
}

export interface ContractCase {
  name: string;
  run(context: ContractContext): Promise<void>;
}

interface Contract {
  dataCases: ContractCase[];
  sessionCases: ContractCase[];
  exampleCases: ContractCase[];
  /** Runs one case over real sockets. */
  runCase(each: ContractCase, server: string): Promise<void>;
}

export async function loadContract(): Promise<Contract> {
  const load = (name: string): Promise<Contract> =>
    import(new URL(`testing/${name}.js`, import.meta.resolve("@vivarium/client")).href) as Promise<Contract>;
  const [{ runCase }, { dataCases }, { sessionCases }, { exampleCases }] = await Promise.all(
    ["contract", "contract-data", "contract-session", "contract-examples"].map(load) as [
      Promise<Contract>,
      Promise<Contract>,
      Promise<Contract>,
      Promise<Contract>,
    ],
  );
  return { runCase, dataCases, sessionCases, exampleCases };
}
