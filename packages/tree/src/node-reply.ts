/** The parts of a reply that are a node's own bytes: copied from the node store into the output, nothing between. */
import type { Writer } from "@vivarium/jute";
import { STAT_BYTES } from "@vivarium/protocol";
import { NONE, type NodeId, type NodeStore } from "./node-store.ts";

export function writeStat(writer: Writer, nodes: NodeStore, node: NodeId): void {
  const at = writer.reserve(STAT_BYTES);
  nodes.copyStat(node, writer.view, at);
  writer.length = at + STAT_BYTES;
}

/** The data as a jute buffer. */
export function writeData(writer: Writer, nodes: NodeStore, node: NodeId): void {
  const size = nodes.dataLength(node);
  if (size === -1) {
    writer.int(-1);
    return;
  }
  const at = writer.reserve(4 + size);
  writer.view.setInt32(at, size);
  nodes.copyData(node, writer.bytes, writer.view, at + 4);
  writer.length = at + 4 + size;
}

/** The names of the children as a jute vector, in no particular order. */
export function writeChildren(writer: Writer, nodes: NodeStore, node: NodeId): void {
  writer.int(nodes.numChildren(node));
  for (let child = nodes.firstChild(node); child !== NONE; child = nodes.nextSibling(child)) {
    const size = nodes.nameLength(child);
    const at = writer.reserve(4 + size);
    writer.view.setInt32(at, size);
    nodes.copyName(child, writer.bytes, at + 4);
    writer.length = at + 4 + size;
  }
}
