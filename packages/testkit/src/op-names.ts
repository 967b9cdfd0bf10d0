/** The operations on which a fault can be ordered, by the names that the client's methods have. */
import { OpCode } from "@vivarium/protocol";

/** What each name stands for on the wire: a client may use any of these for it. */
const TYPES = {
  /** The first packet of a connection, which opens or resumes the session. */
  connect: [OpCode.createSession],
  create: [OpCode.create, OpCode.create2, OpCode.createTTL, OpCode.createContainer],
  delete: [OpCode.delete],
  exists: [OpCode.exists],
  getData: [OpCode.getData],
  setData: [OpCode.setData],
  getChildren: [OpCode.getChildren, OpCode.getChildren2],
  getAllChildrenNumber: [OpCode.getAllChildrenNumber],
  getEphemerals: [OpCode.getEphemerals],
  getACL: [OpCode.getACL],
  setACL: [OpCode.setACL],
  sync: [OpCode.sync],
  multi: [OpCode.multi],
  multiRead: [OpCode.multiRead],
  addWatch: [OpCode.addWatch],
  removeWatches: [OpCode.removeWatches],
  /** By which a client that reconnects sets its watches again. */
  setWatches: [OpCode.setWatches, OpCode.setWatches2],
  addAuth: [OpCode.auth],
  whoAmI: [OpCode.whoAmI],
  reconfig: [OpCode.reconfig],
  ping: [OpCode.ping],
  close: [OpCode.closeSession],
} as const satisfies Record<string, readonly OpCode[]>;

export type OpName = keyof typeof TYPES;

/** @throws Error that lists the names */
export function typesOf(op: OpName): readonly number[] {
  const types: readonly number[] | undefined = TYPES[op];
  if (types !== undefined) return types;
  throw new Error(`there is no operation "${op}"; it must be one of ${Object.keys(TYPES).join(", ")}`);
}
