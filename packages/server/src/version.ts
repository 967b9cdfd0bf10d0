/** The version of Apache ZooKeeper whose behaviour this server has; monitoring tools parse it out of `srvr`. */
const PROTOCOL_VERSION = "3.9.5";
/** This software's own version, as in its package.json. */
export const VIVARIUM_VERSION = "0.1.0";
const RELEASED = "2026-11-23 00:00 UTC";

export const FULL_VERSION = `${PROTOCOL_VERSION}-vivarium-${VIVARIUM_VERSION}, built on ${RELEASED}`;
