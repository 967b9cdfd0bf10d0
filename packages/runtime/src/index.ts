/** The ports to the outside world: Clock, Random, Network, Disk, each as an interface with its forms. */
export type { Clock, Timer, TimerOptions } from "./clock.ts";
export { DirectoryLockedError, type Disk, type DiskFile, type DiskLock, type FileInfo, OpenMode } from "./disk.ts";
export { type DiskOperation, MemoryDisk, type MemoryDiskOptions } from "./memory-disk.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./memory-network.ts";
export {
  type Connection,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  takeBack,
} from "./network.ts";
export { NodeClock } from "./node-clock.ts";
export { LOCK_FILE } from "./node-directory-lock.ts";
export { NodeDisk } from "./node-disk.ts";
export { NodeNetwork } from "./node-network.ts";
export { NodeRandom } from "./node-random.ts";
export type { Random } from "./random.ts";
export { SeededRandom } from "./seeded-random.ts";
export { VirtualClock } from "./virtual-clock.ts";
