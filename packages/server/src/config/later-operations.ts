// Settings of the admin server, metrics, audit log and path statistics: known and checked, named at start when used.
// Facts: reference/zookeeper-features.md 4.2, 4.3, 4.5.

import { decimal, flag, integer, port, strictFlag, text, word } from "./kinds.ts";
import type { Setting } from "./setting.ts";
import { later } from "./setting.ts";

const admin = "the admin server";
const metrics = "metrics providers";
const audit = "the audit log";
const pathStats = "path statistics";
const pauses = "the pause monitor";

const ms = integer({ min: 0, unit: "ms" });
const positive = integer({ min: 1 });

export const operationsSettings: Setting[] = [
  ...later(admin, "property", [
    // Apache's default is true; asking for it in so many words is what deserves an answer.
    ["admin.enableServer", flag, "true", "Runs the HTTP admin server.", { off: "false" }],
    ["admin.serverAddress", word("address"), "0.0.0.0", "Address it listens on."],
    ["admin.serverPort", port, "8080", "Port it listens on."],
    ["admin.commandURL", word("path"), "/commands", "Path under which its commands are."],
    ["admin.idleTimeout", ms, "30000", "Idle time after which its connections close."],
    [
      "admin.httpVersion",
      integer({ min: 1 }),
      "11",
      "Age of the Strict-Transport-Security rule's HTTP version, 11 = 1.1.",
    ],
    ["admin.portUnification", flag, "false", "HTTP and HTTPS on one port."],
    ["admin.forceHttps", flag, "false", "HTTPS only."],
    ["admin.needClientAuth", flag, "false", "Asks HTTP clients for a certificate."],
    ["admin.snapshot.enabled", flag, "true", "Offers the snapshot command."],
    ["admin.restore.enabled", flag, "true", "Offers the restore command."],
    ["admin.rateLimiterIntervalInMS", ms, "300000", "Pause between two snapshot or restore commands."],
  ]),
  ...later(metrics, "zoo.cfg", [
    [
      "metricsProvider.className",
      word("class name"),
      "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
      "What collects and publishes metrics.",
    ],
    ["metricsProvider.httpHost", word("address"), "0.0.0.0", "Address of the Prometheus page."],
    ["metricsProvider.httpPort", port, "7000", "Port of the Prometheus page."],
    ["metricsProvider.exportJvmInfo", strictFlag, "true", "Adds metrics of the process."],
    ["metricsProvider.numWorkerThreads", positive, "1", "Threads that record summaries."],
    ["metricsProvider.maxQueueSize", positive, "1000000", "Values that may wait to be recorded."],
    ["metricsProvider.workerShutdownTimeoutMs", ms, "1000", "How long stopping waits for them."],
  ]),
  ...later(pauses, "zoo.cfg", [
    ["jvm.pause.monitor", strictFlag, "false", "Reports when the process stood still."],
    ["jvm.pause.sleep.time.ms", ms, "500", "How often it looks."],
    ["jvm.pause.info-threshold.ms", ms, "1000", "Pauses worth a line."],
    ["jvm.pause.warn-threshold.ms", ms, "10000", "Pauses worth a warning."],
  ]),
  ...later(audit, "property", [
    ["audit.enable", flag, "false", "Writes who changed what."],
    ["audit.impl.class", word("class name"), "org.apache.zookeeper.audit.Slf4jAuditLogger", "What writes it."],
  ]),
  ...later(pathStats, "property", [
    ["pathStats.enabled", flag, "false", "Counts requests by path."],
    ["pathStats.sampleRate", decimal({ min: 0, max: 1 }), "0.1", "Share of requests counted."],
    ["pathStats.maxDepth", positive, "6", "Depth to which paths are told apart."],
    ["pathStats.topPathMax", positive, "20", "Paths listed."],
    ["pathStats.slotCapacity", positive, "60", "Time slots kept."],
    ["pathStats.slotDuration", integer({ min: 1, unit: "s" }), "15", "Length of a slot."],
    ["pathStats.initialDelay", integer({ min: 0, unit: "minutes" }), "5", "Time to the first report."],
    ["pathStats.delay", integer({ min: 0, unit: "minutes" }), "5", "Time between reports."],
  ]),
  ...later("the test controller", "property", [
    ["controllerPort", text("port"), undefined, "Port of Apache's test controller."],
  ]),
];
