/**
 * What the server counts of itself: the figures behind `srvr`, `stat` and `mntr`. They live as long as the process, or
 * until the word `srst`. @see ServerStats, ServerMetrics
 */
import { EventType } from "@vivarium/protocol";
import { Latency, LatencyDistribution } from "./latency.ts";

export class ServerStats {
  // Packets and bytes
  received = 0;
  sent = 0;
  bytesReceived = 0;
  /** Bytes of replies, and of watch events, without their lengths. */
  responseBytes = 0;
  watchBytes = 0;
  lastResponseBytes = -1;
  minResponseBytes = -1;
  maxResponseBytes = -1;

  // Requests answered, and how long they took from their arrival
  readonly latency = new Latency();
  readonly readLatency = new LatencyDistribution();
  readonly updateLatency = new LatencyDistribution();
  throttleWaits = 0;
  throttledOps = 0;
  staleRequestsDropped = 0;
  largeRequestsRejected = 0;
  authFailed = 0;

  // Connections and sessions
  connectionRequests = 0;
  /** ConnectRequests that asked for an old session. */
  revalidations = 0;
  /** Refused by a limit on connections or by the connection throttle. */
  connectionsRejected = 0;
  /** Ended by their clients without closeSession. */
  connectionsDropped = 0;
  sessionlessExpired = 0;
  sessionsExpired = 0;
  /** How many tokens the connection throttle lacked at each ConnectRequest. */
  readonly tokenDeficit = new Latency();

  // Disk
  readonly fsync = new Latency();
  /** Transactions that shared an fsync. */
  readonly batchSize = new Latency();
  readonly snapshots = new Latency();
  readonly dbInit = new Latency();
  readonly startupSnapLoad = new Latency();
  readonly startupTxnsLoad = new Latency();
  readonly startupTxns = new Latency();

  // Tree
  /** From the time in a transaction's header, by the leader's clock, to its being applied here. */
  readonly propagation = new LatencyDistribution();
  digestMismatches = 0;
  /** How many watchers each change had, by what it was; a change that nobody watched does not count. */
  readonly watchersOfCreated = new Latency();
  readonly watchersOfDeleted = new Latency();
  readonly watchersOfChanged = new Latency();
  readonly watchersOfChildren = new Latency();

  // Ensemble
  /** Times this server has looked for a leader, how long that took, and for how long it served nobody. */
  lookingCount = 0;
  readonly electionTime = new Latency();
  readonly unavailable = new Latency();
  /** As a leader: transactions proposed, and whole snapshots sent to learners. */
  proposals = 0;
  snapshotsSent = 0;
  /** As a learner. */
  proposalsReceived = 0;
  commitsReceived = 0;
  containersDeleted = 0;

  /** Everything is counted anew. */
  reset(): void {
    Object.assign(this, new ServerStats());
  }

  response(bytes: number): void {
    this.sent++;
    this.responseBytes += bytes;
    this.lastResponseBytes = bytes;
    if (this.minResponseBytes === -1 || bytes < this.minResponseBytes) this.minResponseBytes = bytes;
    if (bytes > this.maxResponseBytes) this.maxResponseBytes = bytes;
  }

  /** A change had so many watchers. */
  watched(type: EventType, watchers: number): void {
    if (type === EventType.NodeCreated) this.watchersOfCreated.add(watchers);
    else if (type === EventType.NodeDeleted) this.watchersOfDeleted.add(watchers);
    else if (type === EventType.NodeDataChanged) this.watchersOfChanged.add(watchers);
    else if (type === EventType.NodeChildrenChanged) this.watchersOfChildren.add(watchers);
  }

  watchEvent(bytes: number): void {
    this.sent++;
    this.watchBytes += bytes;
  }
}
