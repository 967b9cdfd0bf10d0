/** The kinds of faults, in ZooKeeper operators' words. */
export const FAULTS = [
  /** A server machine loses its power, and what was not synced perhaps with it. */
  "powerFailure",
  /** The power fails at a certain operation of the disk. */
  "crashPoint",
  /** A server's process is killed; its files stay as they were. */
  "kill",
  /** A server is asked to stop, and started again. */
  "restart",
  /** A process stands still for a while: server or client. */
  "freeze",
  /** Syncs take long for a while. */
  "slowDisk",
  /** Operations of a disk fail with EIO for a while. */
  "failingDisk",
  /** A disk is full for a while. */
  "fullDisk",
  /** Nothing goes from one machine to another for a while. */
  "oneWayCut",
  /** Nothing goes between a machine and all others for a while. */
  "isolation",
  /** Connections between two machines break, with what was on its way. */
  "reset",
  /** Everything travels slowly for a while. */
  "slowNetwork",
  /** The time on a server's wall jumps. */
  "wallJump",
  /** A client's process dies and another begins. */
  "clientKill",
] as const;
export type FaultKind = (typeof FAULTS)[number];
