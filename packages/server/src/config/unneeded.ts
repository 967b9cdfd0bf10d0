// Settings that tune Apache's threads, caches and scripts. They are accepted, so that a working zoo.cfg stays one, and there
// is nothing in Vivarium that they could change.

import { choice, flag, integer, text } from "./kinds.ts";
import type { Setting } from "./setting.ts";
import { unneeded } from "./setting.ts";

const size = integer({});
const ms = integer({ unit: "ms" });
const name = text("class name");

const fileKeys: Setting[] = unneeded("zoo.cfg", [
  ["electionAlg", choice({ "3": 3 }), "3", "The election algorithm; 3 is the only one left."],
  ["peerType", choice({ participant: "", observer: "" }), "participant", "A server is what its server line says."],
  ["quorum.cnxn.threads.size", size, "20", "No threads for authenticating other servers."],
]);

const properties: Setting[] = unneeded("property", [
  ["serverCnxnFactory", name, "NIOServerCnxnFactory", "Node.js does the networking."],
  ["nio.numSelectorThreads", size, undefined, "No selector threads."],
  ["nio.numWorkerThreads", size, undefined, "No worker threads."],
  ["nio.directBufferBytes", size, "65536", "No direct buffers."],
  ["nio.shutdownTimeout", ms, "5000", "No threads to wait for."],
  ["netty.advancedFlowControl.enabled", flag, "false", "Back pressure is always on."],
  ["netty.server.outstandingHandshake.limit", size, "-1", "No Netty."],
  ["netty.server.earlyDropSecureConnectionHandshakes", flag, "false", "No Netty."],
  ["commitProcessor.numWorkerThreads", size, undefined, "No commit threads."],
  ["commitProcessor.maxReadBatchSize", size, "-1", "No commit threads."],
  ["commitProcessor.maxCommitBatchSize", size, "1", "No commit threads."],
  ["commitProcessor.shutdownTimeout", ms, "5000", "No commit threads."],
  ["maxResponseCacheSize", size, "400", "Replies are written straight from the tree; no cache is needed."],
  ["maxGetChildrenResponseCacheSize", size, "400", "The same for children."],
  ["intBufferStartingSizeBytes", size, "1024", "Buffers are reused."],
  ["watchManagerName", name, "org.apache.zookeeper.server.watch.WatchManager", "One watch table does it all."],
  ["watcherCleanThreadsNum", size, "2", "Watches of a closed connection go at once."],
  ["watcherCleanThreshold", size, "1000", "The same."],
  ["watcherCleanIntervalInSeconds", integer({ unit: "s" }), "600", "The same."],
  ["maxInProcessingDeadWatchers", size, "-1", "The same."],
  ["bitHashCacheSize", size, "10", "No bit sets."],
  ["jute.maxbuffer.extrasize", size, "-1", "Records on disk are read whatever their size."],
  ["maxWriteQueuePollTime", ms, "-1", "How long a write may wait for company is for flushDelay alone to say."],
  ["request_throttle_stall_time", ms, "100", "A held-back request goes on as soon as another is answered."],
  ["request_stale_connection_check", flag, "true", "What a closed connection still asked for is always dropped."],
  ["request_throttler.shutdownTimeout", ms, "10000", "Held-back requests have not left their clients' sockets."],
  ["leader.ackLoggingFrequency", integer({ min: 1 }), "1000", "Acknowledgements are not sampled."],
  ["leader.closeSocketAsync", flag, "false", "Node.js closes connections in the background."],
  ["learner.closeSocketAsync", flag, "false", "The same."],
  ["learner.asyncSending", flag, "false", "Node.js sends in the background."],
  ["follower.skipLearnerRequestToNextProcessor", flag, "false", "No queues between stages."],
  ["forward_learner_requests_to_commit_processor_disabled", flag, "false", "The same."],
  ["jmx.log4j.disable", flag, "false", "No JMX."],
  ["jmx.log4j.mbean", text(), "log4j:hierarchy=default", "No JMX."],
]);

const unprefixed: Setting[] = unneeded("unprefixed", [
  ["leader.nodelay", flag, "true", "TCP_NODELAY is always on."],
  ["follower.nodelay", flag, "true", "The same."],
  ["jdk.tls.rejectClientInitiatedRenegotiation", flag, "true", "Node.js never renegotiates at a client's wish."],
]);

const environment: Setting[] = unneeded(
  "environment",
  (
    [
      ["ZOOCFGDIR", "Directory of zoo.cfg: give the file's path to `vivarium server`."],
      ["ZOOCFG", "Name of zoo.cfg: give the file's path to `vivarium server`."],
      ["ZOO_LOG_DIR", "Directory of log files: send standard error where you want it."],
      ["ZOO_LOG_FILE", "Name of the log file: send standard error where you want it."],
      ["ZOOPIDFILE", "File of the process id: the server runs in the foreground."],
      ["ZOO_DATADIR_AUTOCREATE_DISABLE", "Use `--set datadir.autocreate=false`."],
      ["ZOO_NOEXEC", "No start script."],
      ["JVMFLAGS", "No JVM; `NODE_OPTIONS` is the nearest."],
      ["SERVER_JVMFLAGS", "No JVM; use `--set` for properties."],
      ["CLIENT_JVMFLAGS", "No JVM."],
      ["ZK_SERVER_HEAP", "No JVM; `NODE_OPTIONS=--max-old-space-size=...` is the nearest."],
      ["ZK_CLIENT_HEAP", "No JVM."],
      ["JMXDISABLE", "No JMX."],
      ["JMXPORT", "No JMX."],
      ["JMXAUTH", "No JMX."],
      ["JMXSSL", "No JMX."],
      ["JMXHOSTNAME", "No JMX."],
      ["JMXLOCALONLY", "No JMX."],
      ["JMXLOG4J", "No JMX."],
      ["JAVA_HOME", "No JVM."],
    ] as const
  ).map(([variable, doc]) => [variable, text(), undefined, doc] as const),
);

export const unneededSettings: Setting[] = [...fileKeys, ...properties, ...unprefixed, ...environment];
