/**
 * mntr: one figure a line, `zk_<name>\t<value>`, under the names that Apache ZooKeeper's dashboards know.
 *
 * A figure stands here if this server has what it measures. Apache's about threads and queues that are not here (commit
 * processor, prep processor, response cache, JVM, Netty) are left out: a made-up zero would hide that nobody looks.
 */
import type { Latency, LatencyDistribution } from "../latency.ts";
import type { ServerStats } from "../server-stats.ts";
import { FULL_VERSION } from "../version.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import { average, whole } from "./figures.ts";
import { maxOpenFiles, openFiles, residentBytes } from "./process-figures.ts";
import type { WordContext } from "./word-context.ts";

type Figure = readonly [name: string, value: string | number];

export function monitor(context: WordContext): string {
  const { server, stats } = context;
  if (server === null) return "";
  const figures: Figure[] = [
    ["version", FULL_VERSION],
    ["server_state", context.serverState],
    ...ensemble(context, server),
    ...gauges(server, stats),
    ...counters(stats),
    ...summary("fsynctime", stats.fsync),
    ...summary("sync_processor_batch_size", stats.batchSize),
    ...summary("snapshottime", stats.snapshots),
    ...summary("dbinittime", stats.dbInit),
    ...summary("startup_snap_load_time", stats.startupSnapLoad),
    ...summary("startup_txns_load_time", stats.startupTxnsLoad),
    ...summary("startup_txns_loaded", stats.startupTxns),
    ...summary("connection_token_deficit", stats.tokenDeficit),
    ...summary("node_created_watch_count", stats.watchersOfCreated),
    ...summary("node_deleted_watch_count", stats.watchersOfDeleted),
    ...summary("node_changed_watch_count", stats.watchersOfChanged),
    ...summary("node_children_watch_count", stats.watchersOfChildren),
    ...summary("election_time", stats.electionTime),
    ...summary("unavailable_time", stats.unavailable),
    ...distribution("readlatency", stats.readLatency),
    ...distribution("updatelatency", stats.updateLatency),
    ...distribution("propagation_latency", stats.propagation),
  ];
  return figures.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

const PEER_STATES = { leader: "leading", follower: "following", observer: "observing" } as const;

function ensemble({ ensemble, serverState }: WordContext, server: ZooKeeperServer): Figure[] {
  if (ensemble === undefined || !(serverState in PEER_STATES)) return [];
  const { view, leader } = ensemble;
  const figures: Figure[] = [
    // Who serves has left election and synchronisation behind.
    ["peer_state", `${PEER_STATES[serverState as keyof typeof PEER_STATES]} - broadcast`],
    ["quorum_size", view.quorums.voters.length],
  ];
  if (leader === undefined) return figures;
  return [
    ...figures,
    ["learners", leader.learners],
    ["synced_followers", leader.syncedFollowers],
    ["synced_non_voting_followers", leader.syncedNonVotingFollowers],
    ["synced_observers", leader.syncedObservers],
    ["pending_syncs", leader.pendingSyncs],
    ["leader_uptime", whole(server.clock.monotonicMs() - server.startedMs)],
    ["last_proposal_size", leader.proposalSizes.last],
    ["max_proposal_size", leader.proposalSizes.max],
    ["min_proposal_size", leader.proposalSizes.min],
  ];
}

function gauges(server: ZooKeeperServer, stats: ServerStats): Figure[] {
  const { tree, listener } = server;
  return [
    ["avg_latency", average(stats.latency.averageMs)],
    ["max_latency", whole(stats.latency.maxMs)],
    ["min_latency", whole(stats.latency.minMs)],
    ["packets_received", stats.received],
    ["packets_sent", stats.sent],
    ["num_alive_connections", listener.size],
    ["outstanding_requests", server.dispatcher.outstanding],
    ["uptime", whole(server.clock.monotonicMs() - server.startedMs)],
    ["znode_count", tree.nodes.size],
    ["watch_count", tree.watches.size],
    ["ephemerals_count", tree.owned.ephemeralCount],
    ["approximate_data_size", tree.nodes.approximateDataSize],
    ["global_sessions", tree.sessions.size],
    ["local_sessions", 0],
    ["open_file_descriptor_count", openFiles()],
    ["max_file_descriptor_count", maxOpenFiles()],
    ["connection_drop_probability", average(server.connectionThrottle.drop)],
    ["last_client_response_size", stats.lastResponseBytes],
    ["max_client_response_size", stats.maxResponseBytes],
    ["min_client_response_size", stats.minResponseBytes],
    ["auth_failed_count", stats.authFailed],
    ["outstanding_tls_handshake", 0],
    ["resident_memory_bytes", residentBytes()],
  ];
}

function counters(stats: ServerStats): Figure[] {
  return [
    ["bytes_received_count", stats.bytesReceived],
    ["response_bytes", stats.responseBytes],
    ["watch_bytes", stats.watchBytes],
    ["connection_request_count", stats.connectionRequests],
    ["connection_revalidate_count", stats.revalidations],
    ["connection_rejected", stats.connectionsRejected],
    ["connection_drop_count", stats.connectionsDropped],
    ["sessionless_connections_expired", stats.sessionlessExpired],
    ["stale_sessions_expired", stats.sessionsExpired],
    ["request_throttle_wait_count", stats.throttleWaits],
    ["throttled_ops", stats.throttledOps],
    ["stale_requests_dropped", stats.staleRequestsDropped],
    ["large_requests_rejected", stats.largeRequestsRejected],
    ["digest_mismatches_count", stats.digestMismatches],
    ["looking_count", stats.lookingCount],
    ["proposal_count", stats.proposals],
    ["snap_count", stats.snapshotsSent],
    ["learner_proposal_received_count", stats.proposalsReceived],
    ["learner_commit_received_count", stats.commitsReceived],
  ];
}

function summary(name: string, latency: Latency): Figure[] {
  return [
    [`avg_${name}`, average(latency.averageMs)],
    [`min_${name}`, whole(latency.minMs)],
    [`max_${name}`, whole(latency.maxMs)],
    [`cnt_${name}`, latency.count],
    [`sum_${name}`, whole(latency.totalMs)],
  ];
}

function distribution(name: string, latency: LatencyDistribution): Figure[] {
  return [
    ...summary(name, latency),
    [`p50_${name}`, latency.percentileMs(0.5)],
    [`p95_${name}`, latency.percentileMs(0.95)],
    [`p99_${name}`, latency.percentileMs(0.99)],
    [`p999_${name}`, latency.percentileMs(0.999)],
  ];
}
