/** The Stat of a reply, read field by field: the generic record codec is too slow for every single read. */
import type { Reader } from "@vivarium/jute";
import type { Stat } from "@vivarium/protocol";

export function readStat(reader: Reader): Stat {
  const czxid = reader.number();
  const mzxid = reader.number();
  const ctime = reader.number();
  const mtime = reader.number();
  const version = reader.int();
  const cversion = reader.int();
  const aversion = reader.int();
  const ephemeralOwner = readOwner(reader);
  const dataLength = reader.int();
  const numChildren = reader.int();
  const pzxid = reader.number();
  return {
    czxid,
    mzxid,
    ctime,
    mtime,
    version,
    cversion,
    aversion,
    ephemeralOwner,
    dataLength,
    numChildren,
    pzxid,
  };
}

/** Nearly every node has no owner, and that needs no bigint arithmetic. */
function readOwner(reader: Reader): bigint {
  const at = reader.skip(8);
  const { view } = reader;
  return view.getInt32(at) === 0 && view.getInt32(at + 4) === 0 ? 0n : view.getBigInt64(at);
}
