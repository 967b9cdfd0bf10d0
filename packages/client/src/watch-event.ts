/** What a watch tells, and how the wire's numbers become it. */
import { EventType } from "@vivarium/protocol";

export interface NodeEvent {
  type: "created" | "deleted" | "dataChanged" | "childrenChanged";
  /** The node it happened to, as the caller names it (without chroot). */
  path: string;
  /** The transaction behind it; null when the server did not say (older than 3.9, or caught up after a reconnect). */
  zxid: number | null;
}

/** Some events may be missing between two zxids: read again what matters. */
export interface GapEvent {
  type: "gap";
  path: string;
  /** The last zxid up to which everything was seen. */
  zxid: number;
  /** Why: the connection was replaced, the session was, or the consumer was too slow for `maxQueuedEvents`. */
  reason: "reconnected" | "newSession" | "overflow";
}

/** The last event of a callback's watch when its session ends for good. */
export interface LostEvent {
  type: "lost";
  path: string;
  zxid: null;
  reason: "expired" | "authFailed" | "closed";
}

export type WatchEvent = NodeEvent | GapEvent;
export type WatchListener = (event: WatchEvent | LostEvent) => void;

export function nodeEventType(type: number): NodeEvent["type"] | undefined {
  switch (type) {
    case EventType.NodeCreated:
      return "created";
    case EventType.NodeDeleted:
      return "deleted";
    case EventType.NodeDataChanged:
      return "dataChanged";
    case EventType.NodeChildrenChanged:
      return "childrenChanged";
    default:
      return undefined;
  }
}
