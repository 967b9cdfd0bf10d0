/** What the server counts of itself: the figures behind `srvr`, `stat` and `mntr`. */
import { Latency } from "./latency.ts";

export class ServerStats {
  received = 0;
  sent = 0;
  /** Requests answered, and how long they took from their arrival. */
  readonly latency = new Latency();
  readonly readLatency = new Latency();
  readonly updateLatency = new Latency();
  connectionsRejected = 0;
  connectionsDropped = 0;
  sessionsExpired = 0;
  authFailed = 0;
  requestsRefused = 0;
  fsync = new Latency();
  snapshots = new Latency();
  digestMismatches = 0;
  containersDeleted = 0;
  lastResponseBytes = -1;
  minResponseBytes = -1;
  maxResponseBytes = -1;

  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.latency.reset();
    this.lastResponseBytes = -1;
    this.minResponseBytes = -1;
    this.maxResponseBytes = -1;
  }

  response(bytes: number): void {
    this.lastResponseBytes = bytes;
    if (this.minResponseBytes === -1 || bytes < this.minResponseBytes) this.minResponseBytes = bytes;
    if (bytes > this.maxResponseBytes) this.maxResponseBytes = bytes;
  }
}
