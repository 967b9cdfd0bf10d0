/** Running totals of one client; read them as often as you like. */
export interface Counters {
  /** Calls made, settled or not. */
  requests: number;
  /** Answers that said OK. */
  succeeded: number;
  /** Answers that refused. */
  refused: number;
  /** Reads sent again after their connection broke. */
  resent: number;
  sentBytes: number;
  receivedBytes: number;
  /** Writes to the socket. */
  flushes: number;
  watchEvents: number;
  pings: number;
  /** Round trip of the last answered ping in milliseconds; 0 before the first. */
  lastPingMs: number;
  connectAttempts: number;
  /** Sessions given by servers, resumed ones included. */
  connects: number;
}

export function noCounts(): Counters {
  return {
    requests: 0,
    succeeded: 0,
    refused: 0,
    resent: 0,
    sentBytes: 0,
    receivedBytes: 0,
    flushes: 0,
    watchEvents: 0,
    pings: 0,
    lastPingMs: 0,
    connectAttempts: 0,
    connects: 0,
  };
}
