/**
 * Requests about watches. After a reconnect the client arms its watches again with setWatches; what changed since
 * `relativeZxid`, the last zxid it has seen, is told at once instead. These events are made up, so their zxid is -1,
 * and as the watch was granted before, no ACL is asked. @see DataTree.setWatches
 */
import { ProtocolError, type Reader, type Writer } from "@vivarium/jute";
import {
  AddWatchMode,
  AddWatchRequest,
  ErrorCode,
  EventType,
  OpCode,
  opName,
  SetWatches,
  SetWatches2,
  WatcherType,
} from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import { NONE, type NodeStore } from "./node-store.ts";
import type { Watcher } from "./watch-index.ts";
import type { WatchTable } from "./watch-table.ts";

interface WatchableTree {
  readonly nodes: NodeStore;
  readonly watches: WatchTable;
}

/** Returns an ErrorCode; throws a ProtocolError for a record that cannot be read. */
export function answerWatchRequest(
  tree: WatchableTree,
  type: number,
  watcher: Watcher,
  reader: Reader,
  writer: Writer,
): number {
  switch (type) {
    case OpCode.setWatches:
      setWatches(tree, watcher, SetWatches.read(reader));
      return ErrorCode.OK;
    case OpCode.setWatches2:
      setWatches2(tree, watcher, SetWatches2.read(reader));
      return ErrorCode.OK;
    case OpCode.addWatch:
      return addWatch(tree, watcher, reader, writer);
    case OpCode.checkWatches: {
      const { path, type: watcherType } = readWatcherRequest(reader);
      if (path === null) return ErrorCode.NOWATCHER;
      return tree.watches.has(path, watcher, watcherType) ? ErrorCode.OK : ErrorCode.NOWATCHER;
    }
    case OpCode.removeWatches: {
      const { path, type: watcherType } = readWatcherRequest(reader);
      if (path === null) return ErrorCode.NOWATCHER;
      return tree.watches.remove(path, watcher, watcherType) ? ErrorCode.OK : ErrorCode.NOWATCHER;
    }
    default:
      throw new ProtocolError(`${opName(type)} is not a read`);
  }
}

function setWatches2(tree: WatchableTree, watcher: Watcher, request: SetWatches2): void {
  setWatches(tree, watcher, request);
  for (const path of request.persistentWatches) tree.watches.addPersistent(path, watcher, AddWatchMode.PERSISTENT);
  for (const path of request.persistentRecursiveWatches) {
    tree.watches.addPersistent(path, watcher, AddWatchMode.PERSISTENT_RECURSIVE);
  }
}

function setWatches(tree: WatchableTree, watcher: Watcher, request: SetWatches): void {
  const { nodes, watches } = tree;
  const since = request.relativeZxid;
  for (const path of request.dataWatches) {
    const node = nodes.findPath(path);
    if (node === NONE) tell(watcher, path, EventType.NodeDeleted);
    else if (nodes.mzxid(node) > since) tell(watcher, path, EventType.NodeDataChanged);
    else watches.addData(path, watcher);
  }
  for (const path of request.existWatches) {
    if (nodes.findPath(path) !== NONE) tell(watcher, path, EventType.NodeCreated);
    else watches.addData(path, watcher);
  }
  for (const path of request.childWatches) {
    const node = nodes.findPath(path);
    if (node === NONE) tell(watcher, path, EventType.NodeDeleted);
    else if (nodes.pzxid(node) > since) tell(watcher, path, EventType.NodeChildrenChanged);
    else watches.addChild(path, watcher);
  }
}

function tell(watcher: Watcher, path: string, type: EventType): void {
  watcher.process({ type, path, zxid: -1, aclId: OPEN_ACL_ID });
}

function addWatch(tree: WatchableTree, watcher: Watcher, reader: Reader, writer: Writer): number {
  const { path, mode } = AddWatchRequest.read(reader);
  if (mode !== AddWatchMode.PERSISTENT && mode !== AddWatchMode.PERSISTENT_RECURSIVE) {
    throw new ProtocolError(`${mode} is no mode of addWatch: 0 is persistent, 1 persistent and recursive`);
  }
  tree.watches.addPersistent(path, watcher, mode);
  writer.int(ErrorCode.OK);
  return ErrorCode.OK;
}

/** A null path is one that nobody watches. */
function readWatcherRequest(reader: Reader): { path: string | null; type: WatcherType } {
  const path = reader.nullableUstring();
  const type = reader.int();
  if (type < WatcherType.Children || type > WatcherType.PersistentRecursive) {
    throw new ProtocolError(`${type} is no type of watch: they are 1 to 5`);
  }
  return { path, type: type as WatcherType };
}
