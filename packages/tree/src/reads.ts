/**
 * Requests that change nothing in the tree: from the request record to the body of its reply. The reply is written
 * straight from the tree's memory into the connection's output; a path becomes a string only when a watch is set on it.
 *
 * `answer` returns an ErrorCode; unless it is OK nothing has been written. It calls `caller.watcher.process` only for
 * setWatches and setWatches2, which have no reply body: those events belong on the wire before the reply, so write the
 * ReplyHeader of these two after the call. Sessions are checked by the caller, before.
 *
 * Source: client protocol facts, sections 7, 8, 10. @see FinalRequestProcessor
 */
import { ProtocolError, type Reader, utf8Read, type Writer } from "@vivarium/jute";
import {
  ErrorCode,
  GetACLResponse,
  type Id,
  MultiHeader,
  OpCode,
  opName,
  Perms,
  WhoAmIResponse,
} from "@vivarium/protocol";
import { type AclTable, OPEN_ACL_ID } from "./acl-table.ts";
import { type AuthRegistry, maskDigests } from "./auth/auth-registry.ts";
import { writeChildren, writeData, writeStat } from "./node-reply.ts";
import { NONE, type NodeId, type NodeStore, ROOT } from "./node-store.ts";
import type { Watcher } from "./watch-index.ts";
import { answerWatchRequest } from "./watch-requests.ts";
import type { WatchTable } from "./watch-table.ts";

/** Who asks: the server's end of a connection. */
export interface Caller {
  readonly sessionId: bigint;
  readonly authInfo: readonly Id[];
  readonly watcher: Watcher;
}

/** What reads need of the tree. @see DataTree */
export interface ReadableTree {
  readonly nodes: NodeStore;
  readonly watches: WatchTable;
  readonly acls: AclTable;
  ephemerals(sessionId: bigint): Iterable<string>;
}

export class Reads {
  readonly #tree: ReadableTree;
  readonly #nodes: NodeStore;
  readonly #auth: AuthRegistry;
  // Where the path of the request at hand lies in its frame; a pair to return would be an allocation per request.
  #pathStart = 0;
  #pathEnd = 0;

  constructor(options: { tree: ReadableTree; auth: AuthRegistry }) {
    this.#tree = options.tree;
    this.#nodes = options.tree.nodes;
    this.#auth = options.auth;
  }

  /** Answers the request whose record `reader` holds. A record that cannot be read is MARSHALLINGERROR. */
  answer(type: number, caller: Caller, reader: Reader, writer: Writer): number {
    const start = writer.length;
    try {
      const err = this.#dispatch(type, caller, reader, writer);
      if (err !== ErrorCode.OK) writer.length = start;
      return err;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      writer.length = start;
      return ErrorCode.MARSHALLINGERROR;
    }
  }

  #dispatch(type: number, caller: Caller, reader: Reader, writer: Writer): number {
    switch (type) {
      case OpCode.getData:
        return this.#getData(caller, reader, writer);
      case OpCode.exists:
        return this.#exists(caller, reader, writer);
      case OpCode.getChildren:
      case OpCode.getChildren2:
        return this.#getChildren(type, caller, reader, writer);
      case OpCode.getACL:
        return this.#getACL(caller, reader, writer);
      case OpCode.getAllChildrenNumber:
        return this.#getAllChildrenNumber(caller, reader, writer);
      case OpCode.getEphemerals:
        return this.#getEphemerals(caller, reader, writer);
      case OpCode.multiRead:
        return this.#multiRead(caller, reader, writer);
      case OpCode.sync:
        return sync(reader, writer);
      case OpCode.whoAmI:
        WhoAmIResponse.write(writer, { clientInfo: this.#auth.clientInfo(caller.authInfo) });
        return ErrorCode.OK;
      default:
        return answerWatchRequest(this.#tree, type, caller.watcher, reader, writer);
    }
  }

  #getData(caller: Caller, reader: Reader, writer: Writer): number {
    this.#readPath(reader);
    const watch = reader.bool();
    const node = this.#find(reader);
    const err = this.#check(node, Perms.READ, caller);
    if (err !== ErrorCode.OK) return err;
    if (watch) this.#tree.watches.addData(this.#path(reader), caller.watcher);
    writeData(writer, this.#nodes, node);
    writeStat(writer, this.#nodes, node);
    return ErrorCode.OK;
  }

  /** A watch on a node that does not exist yet is the point of exists: it is set even though the answer is NONODE. */
  #exists(caller: Caller, reader: Reader, writer: Writer): number {
    this.#readPath(reader);
    const watch = reader.bool();
    if (this.#pathHasNul(reader)) return ErrorCode.BADARGUMENTS;
    const node = this.#find(reader);
    const err = this.#check(node, Perms.READ, caller);
    if (err === ErrorCode.NOAUTH) return err;
    if (watch) this.#tree.watches.addData(this.#path(reader), caller.watcher);
    if (err === ErrorCode.OK) writeStat(writer, this.#nodes, node);
    return err;
  }

  #getChildren(type: number, caller: Caller, reader: Reader, writer: Writer): number {
    this.#readPath(reader);
    const watch = reader.bool();
    const node = this.#find(reader);
    const err = this.#check(node, Perms.READ, caller);
    if (err !== ErrorCode.OK) return err;
    if (watch) this.#tree.watches.addChild(this.#path(reader), caller.watcher);
    writeChildren(writer, this.#nodes, node);
    if (type === OpCode.getChildren2) writeStat(writer, this.#nodes, node);
    return ErrorCode.OK;
  }

  #getACL(caller: Caller, reader: Reader, writer: Writer): number {
    this.#readPath(reader);
    const node = this.#find(reader);
    const err = this.#check(node, Perms.READ | Perms.ADMIN, caller);
    if (err !== ErrorCode.OK) return err;
    const acl = this.#tree.acls.get(this.#nodes.aclId(node));
    const maySeeAll = this.#check(node, Perms.ADMIN, caller) === ErrorCode.OK;
    GetACLResponse.fields.acl.write(writer, maySeeAll ? [...acl] : maskDigests(acl));
    writeStat(writer, this.#nodes, node);
    return ErrorCode.OK;
  }

  #getAllChildrenNumber(caller: Caller, reader: Reader, writer: Writer): number {
    this.#readPath(reader);
    const node = this.#find(reader);
    const err = this.#check(node, Perms.READ, caller);
    if (err !== ErrorCode.OK) return err;
    // The store counts the root twice, as Java does, and neither is a descendant; asked for "", Java counts the other.
    const others = this.#pathStart === this.#pathEnd ? 1 : 2;
    writer.int(node === ROOT ? this.#nodes.size - others : countDescendants(this.#nodes, node));
    return ErrorCode.OK;
  }

  #getEphemerals(caller: Caller, reader: Reader, writer: Writer): number {
    const prefix = reader.nullableUstring() ?? "";
    const all = isBlankOrRoot(prefix);
    const countAt = writer.reserve(4);
    writer.length += 4;
    let count = 0;
    for (const path of this.#tree.ephemerals(caller.sessionId)) {
      if (!all && !path.startsWith(prefix)) continue;
      writer.ustring(path);
      count++;
    }
    writer.view.setInt32(countAt, count);
    return ErrorCode.OK;
  }

  /** Every part answers for itself; only what is not a list of reads at all fails as a whole. Sets no watches. */
  #multiRead(caller: Caller, reader: Reader, writer: Writer): number {
    for (let header = MultiHeader.read(reader); !header.done; header = MultiHeader.read(reader)) {
      const { type } = header;
      if (type !== OpCode.getData && type !== OpCode.getChildren) {
        throw new ProtocolError(`${opName(type)} cannot be part of a multiRead`);
      }
      this.#readPath(reader);
      reader.bool();
      this.#readOne(type, caller, reader, writer);
    }
    MultiHeader.write(writer, { type: -1, done: true, err: -1 });
    return ErrorCode.OK;
  }

  #readOne(type: number, caller: Caller, reader: Reader, writer: Writer): void {
    const node = this.#find(reader);
    const err = this.#check(node, Perms.READ, caller);
    MultiHeader.write(writer, { type: err === ErrorCode.OK ? type : OpCode.error, done: false, err });
    if (err !== ErrorCode.OK) {
      writer.int(err);
    } else if (type === OpCode.getChildren) {
      writeChildren(writer, this.#nodes, node);
    } else {
      writeData(writer, this.#nodes, node);
      writeStat(writer, this.#nodes, node);
    }
  }

  #readPath(reader: Reader): void {
    const size = reader.size();
    if (size === -1) throw new ProtocolError("a null path where one is required");
    this.#pathStart = reader.skip(size);
    this.#pathEnd = this.#pathStart + size;
  }

  #find(reader: Reader): NodeId {
    return this.#nodes.find(reader.bytes, this.#pathStart, this.#pathEnd);
  }

  #path(reader: Reader): string {
    return utf8Read(reader.bytes, this.#pathStart, this.#pathEnd);
  }

  #pathHasNul(reader: Reader): boolean {
    for (let i = this.#pathStart; i < this.#pathEnd; i++) if (reader.bytes[i] === 0) return true;
    return false;
  }

  /** NONODE, NOAUTH or OK. */
  #check(node: NodeId, perms: number, caller: Caller): number {
    if (node === NONE) return ErrorCode.NONODE;
    const aclId = this.#nodes.aclId(node);
    if (aclId === OPEN_ACL_ID) return ErrorCode.OK;
    return this.#auth.checkACL(this.#tree.acls.get(aclId), perms, caller.authInfo) ? ErrorCode.OK : ErrorCode.NOAUTH;
  }
}

/** Blanks around it do not count, and they are what Java's trim takes for blank: all up to U+0020, U+0000 included. */
function isBlankOrRoot(prefix: string): boolean {
  let slashes = 0;
  for (let i = 0; i < prefix.length; i++) {
    if (prefix.charCodeAt(i) <= 0x20) continue;
    if (prefix[i] !== "/" || ++slashes > 1) return false;
  }
  return true;
}

/** The path comes back as it came, be it null; waiting for the leader is the pipeline's business. */
function sync(reader: Reader, writer: Writer): number {
  writer.ustring(reader.nullableUstring());
  return ErrorCode.OK;
}

function countDescendants(nodes: NodeStore, top: NodeId): number {
  let count = 0;
  for (let node = nodes.nextInSubtree(top, top); node !== NONE; node = nodes.nextInSubtree(node, top)) count++;
  return count;
}
