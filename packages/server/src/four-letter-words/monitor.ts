/** mntr: one figure a line, `zk_<name>\t<value>`, under the names that Apache ZooKeeper's dashboards know. */
import { readdirSync } from "node:fs";
import process from "node:process";
import type { Latency } from "../latency.ts";
import { FULL_VERSION } from "../version.ts";
import type { WordContext } from "./word-context.ts";

export function monitor(context: WordContext): string {
  const { server } = context;
  if (server === null) return "";
  const { stats, tree, tracker, listener } = server;
  const { watches } = tree;
  const figures: [string, string | number][] = [
    ["version", FULL_VERSION],
    ["server_state", context.serverState],
    ["peer_state", context.serverState],
    ["avg_latency", round(stats.latency.averageMs)],
    ["max_latency", Math.floor(stats.latency.maxMs)],
    ["min_latency", Math.floor(stats.latency.minMs)],
    ["packets_received", stats.received],
    ["packets_sent", stats.sent],
    ["num_alive_connections", listener.size],
    ["outstanding_requests", server.dispatcher.outstanding],
    ["uptime", Math.floor(server.clock.monotonicMs() - server.startedMs)],
    ["znode_count", tree.nodes.size],
    ["watch_count", watches.size],
    ["ephemerals_count", tree.owned.ephemeralCount],
    ["approximate_data_size", tree.nodes.approximateDataSize],
    ["global_sessions", tracker.size],
    ["local_sessions", 0],
    ["open_file_descriptor_count", openFiles()],
    ["max_file_descriptor_count", -1],
    ["connection_drop_count", stats.connectionsDropped],
    ["connection_rejected", listener.rejected],
    ["stale_sessions_expired", stats.sessionsExpired],
    ["auth_failed_count", stats.authFailed],
    ["last_client_response_size", stats.lastResponseBytes],
    ["max_client_response_size", stats.maxResponseBytes],
    ["min_client_response_size", stats.minResponseBytes],
    ["digest_mismatches_count", stats.digestMismatches],
    ["resident_memory_bytes", process.memoryUsage.rss()],
    ...summary("readlatency", stats.readLatency),
    ...summary("updatelatency", stats.updateLatency),
    ...summary("fsynctime", stats.fsync),
    ...summary("snapshottime", stats.snapshots),
  ];
  return figures.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

function summary(name: string, latency: Latency): [string, number][] {
  return [
    [`avg_${name}`, round(latency.averageMs)],
    [`min_${name}`, Math.floor(latency.minMs)],
    [`max_${name}`, Math.floor(latency.maxMs)],
    [`cnt_${name}`, latency.count],
    [`sum_${name}`, Math.floor(latency.totalMs)],
  ];
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Not on this platform.
    return -1;
  }
}
