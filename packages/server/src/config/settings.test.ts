import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configurationPage, settingsHelp } from "./reference-page.ts";
import { allSettings, builtSettings, findSetting, unneededSettings } from "./settings.ts";

// Apache ZooKeeper 3.9.5's settings and defaults, written down from its sources and not from our table. `-` is no default.
const zooCfgKeys = `
dataDir - | dataLogDir - | clientPort - | clientPortAddress - | secureClientPort - | secureClientPortAddress -
clientPortListenBacklog -1 | observerMasterPort - | tickTime 3000 | maxClientCnxns 60 | minSessionTimeout -1
maxSessionTimeout -1 | initLimit - | syncLimit - | connectToLearnerMasterLimit - | electionAlg 3
quorumListenOnAllIPs false | peerType participant | syncEnabled true | dynamicConfigFile - | version 0
autopurge.snapRetainCount 3 | autopurge.purgeInterval 0 | standaloneEnabled true | reconfigEnabled false
localSessionsEnabled false | localSessionsUpgradingEnabled false | sslQuorum false | portUnification false
sslQuorumReloadCertFiles false | quorum.auth.enableSasl false | quorum.auth.serverRequireSasl false
quorum.auth.learnerRequireSasl false | quorum.auth.server.saslLoginContext QuorumServer
quorum.auth.learner.saslLoginContext QuorumLearner | quorum.auth.kerberos.servicePrincipal zkquorum/localhost
quorum.cnxn.threads.size 20 | jvm.pause.monitor false | jvm.pause.sleep.time.ms 500
jvm.pause.info-threshold.ms 1000 | jvm.pause.warn-threshold.ms 10000
metricsProvider.className org.apache.zookeeper.metrics.impl.DefaultMetricsProvider
metricsProvider.httpHost 0.0.0.0 | metricsProvider.httpPort 7000 | metricsProvider.exportJvmInfo true
metricsProvider.numWorkerThreads 1 | metricsProvider.maxQueueSize 1000000 | metricsProvider.workerShutdownTimeoutMs 1000
multiAddress.enabled false | multiAddress.reachabilityCheckEnabled true | multiAddress.reachabilityCheckTimeoutMs 1000
oraclePath -`;

const properties = `
globalOutstandingLimit 1000 | preAllocSize 65536 | snapCount 100000 | snapSizeLimitInKb 4194304 | txnLogSizeLimitInKb -1
commitLogCount 500 | snapshotSizeFactor 0.33 | snapshot.compression.method | snapshot.trust.empty false
serializeLastProcessedZxid.enabled true | digest.enabled true | closeSessionTxn.enabled true | datadir.autocreate true
db.autocreate true | forceSync yes | fsync.warningthresholdms 1000 | flushDelay 0 | maxWriteQueuePollTime -1
maxBatchSize 1000 | maxCnxns 0 | serverCnxnFactory NIOServerCnxnFactory | maxResponseCacheSize 400
maxGetChildrenResponseCacheSize 400 | intBufferStartingSizeBytes 1024 | jute.maxbuffer.extrasize -1
largeRequestThreshold -1 | largeRequestMaxBytes 104857600 | enforceQuota false | skipACL no | enableEagerACLCheck false
extendedTypesEnabled false | emulate353TTLNodes false
watchManagerName org.apache.zookeeper.server.watch.WatchManager | watcherCleanThreadsNum 2 | watcherCleanThreshold 1000
watcherCleanIntervalInSeconds 600 | maxInProcessingDeadWatchers -1 | bitHashCacheSize 10
fastleader.minNotificationInterval 200 | fastleader.maxNotificationInterval 60000
connection_throttle_tokens 0 | connection_throttle_fill_time 1 | connection_throttle_fill_count 1
connection_throttle_freeze_time -1 | connection_throttle_drop_increase 0.02 | connection_throttle_drop_decrease 0.002
connection_throttle_decrease_ratio 0 | connection_throttle_weight_enabled false
connection_throttle_global_session_weight 3 | connection_throttle_local_session_weight 1
connection_throttle_renew_session_weight 2 | request_throttle_max_requests 0 | request_throttle_stall_time 100
request_throttle_drop_stale true | request_stale_latency_check false | request_stale_connection_check true
request_throttler.shutdownTimeout 10000 | throttled_op_wait_time 0 | commitProcessor.numWorkerThreads -
commitProcessor.maxReadBatchSize -1 | commitProcessor.maxCommitBatchSize 1 | commitProcessor.shutdownTimeout 5000
nio.numSelectorThreads - | nio.numWorkerThreads - | nio.directBufferBytes 65536 | nio.sessionlessCnxnTimeout 10000
nio.shutdownTimeout 5000 | netty.advancedFlowControl.enabled false | netty.server.outstandingHandshake.limit -1
netty.server.earlyDropSecureConnectionHandshakes false | client.portUnification false | client.certReload false
clientTcpKeepAlive false | tcpKeepAlive false | leaderServes yes | cnxTimeout 5000 | quorumCnxnTimeoutMs -1
electionPortBindRetry 3 | leaderConnectDelayDuringRetryMs 100 | leader.maxConcurrentSnapSyncs 10
leader.maxConcurrentDiffSyncs 100 | leader.maxTimeToWaitForEpoch -1 | leader.ackLoggingFrequency 1000
leader.closeSocketAsync false | learner.closeSocketAsync false | learner.asyncSending false
observer.reconnectDelayMs 0 | observer.election.DelayMs 200 | observerMaster.sizeLimit 33554432
follower.skipLearnerRequestToNextProcessor false | forward_learner_requests_to_commit_processor_disabled false
forceSnapshotSync false | messageTracker.Enabled false | messageTracker.BufferSize 10 | pathStats.enabled false
pathStats.sampleRate 0.1 | pathStats.maxDepth 6 | pathStats.topPathMax 20 | pathStats.slotCapacity 60
pathStats.slotDuration 15 | pathStats.initialDelay 5 | pathStats.delay 5 | 4lw.commands.whitelist srvr
admin.enableServer true | admin.serverAddress 0.0.0.0 | admin.serverPort 8080 | admin.commandURL /commands
admin.idleTimeout 30000 | admin.httpVersion 11 | admin.portUnification false | admin.forceHttps false
admin.needClientAuth false | admin.snapshot.enabled true | admin.restore.enabled true
admin.rateLimiterIntervalInMS 300000 | audit.enable false
audit.impl.class org.apache.zookeeper.audit.Slf4jAuditLogger | DigestAuthenticationProvider.enabled true
DigestAuthenticationProvider.superDigest - | DigestAuthenticationProvider.digestAlg SHA1
IPAuthenticationProvider.usexforwardedfor false | X509AuthenticationProvider.superUser -
SASLAuthenticationProvider.superPassword - | letAnySaslUserDoX - | allowSaslFailedClients false
sessionRequireClientSASLAuth false | enforce.auth.enabled false | enforce.auth.schemes | ensembleAuthName -
sasl.serverconfig Server | kerberos.removeHostFromPrincipal false | kerberos.removeRealmFromPrincipal false
kerberos.canonicalizeHostNames false | kerberos.minReLoginTimeMs 60000 | security.auth_to_local DEFAULT
requireKerberosConfig false | kinit /usr/bin/kinit | fips-mode true | jmx.log4j.disable false
jmx.log4j.mbean log4j:hierarchy=default | controllerPort - | ssl.authProvider x509 | ssl.sslProvider JDK
${["ssl.", "ssl.quorum."]
  .flatMap((prefix) => [
    ...["keyStore", "trustStore"].flatMap((store) =>
      ["location", "password", "passwordPath", "type"].map((part) => `${prefix}${store}.${part} -`),
    ),
    `${prefix}protocol TLSv1.3`,
    ...["enabledProtocols", "ciphersuites", "context.supplier.class"].map((part) => `${prefix}${part} -`),
    `${prefix}crl false`,
    `${prefix}ocsp false`,
    `${prefix}clientAuth need`,
    `${prefix}handshakeDetectionTimeoutMillis 5000`,
    `${prefix}hostnameVerification true`,
    `${prefix}clientHostnameVerification ${prefix === "ssl.quorum."}`,
    `${prefix}allowReverseDnsLookup ${prefix === "ssl.quorum."}`,
  ])
  .join("\n")}`;

const unprefixed = `
jute.maxbuffer 1048575 | readonlymode.enabled false | znode.container.checkIntervalMs 60000
znode.container.maxPerMinute 10000 | znode.container.maxNeverUsedIntervalMs 0 | leader.nodelay true
follower.nodelay true | zookeeper.test.allowDiscontinuousProposals false | zookeeper.testingonly.initialZxid -
java.security.auth.login.config - | sun.security.jgss.native false | jdk.tls.rejectClientInitiatedRenegotiation true`;

const environment = `ZOOCFGDIR ZOOCFG ZOO_LOG_DIR ZOO_LOG_FILE ZOOPIDFILE ZOO_DATADIR_AUTOCREATE_DISABLE ZOO_NOEXEC JVMFLAGS
SERVER_JVMFLAGS CLIENT_JVMFLAGS ZK_SERVER_HEAP ZK_CLIENT_HEAP JMXDISABLE JMXPORT JMXAUTH JMXSSL JMXHOSTNAME JMXLOCALONLY
JMXLOG4J JAVA_HOME`;

function rows(table: string): [name: string, defaultText: string | undefined][] {
  const cells = table.split(/[|\n]/).map((cell) => cell.trim());
  return cells.filter(Boolean).map((cell) => {
    const [name = "", value = ""] = cell.split(" ");
    return [name, value === "-" ? undefined : value];
  });
}

test("every setting of Apache ZooKeeper is in the table, with its default and where it may stand", () => {
  const places = { "zoo.cfg": zooCfgKeys, property: properties, unprefixed };
  for (const [place, table] of Object.entries(places)) {
    for (const [name, wanted] of rows(table)) {
      const found = findSetting(name);
      assert.equal(found.as, "setting", name);
      if (found.as !== "setting") continue;
      assert.equal(found.setting.name, name);
      assert.equal(found.setting.default, wanted, name);
      const { form } = found.setting;
      assert.ok(form === place || (form === "both" && place === "zoo.cfg"), `${name} is ${form}, not ${place}`);
    }
  }
  for (const name of environment.split(/\s+/)) {
    assert.ok(
      unneededSettings.some((setting) => setting.name === name && setting.form === "environment"),
      name,
    );
  }
});

/** Settings that Apache does not have. */
const ours = ["busyPollMicros"];

test("the table holds nothing else, and nothing twice", () => {
  const known = new Set([...rows(zooCfgKeys), ...rows(properties), ...rows(unprefixed)].map(([name]) => name));
  for (const name of [...environment.split(/\s+/), ...ours]) known.add(name);
  const names = allSettings.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    names.filter((name) => !known.has(name)),
    [],
  );
});

test("every default is read by its own kind, without a remark", () => {
  for (const setting of allSettings) {
    for (const text of [setting.default, setting.off]) {
      if (text === undefined) continue;
      const parsed = setting.kind.parse(text);
      assert.ok("value" in parsed && parsed.note === undefined, `${setting.name}=${text}`);
    }
  }
});

test("every setting says in whole sentences what it is", () => {
  for (const { name, doc, status, feature } of allSettings) {
    assert.match(doc, /^[A-Z].*\.$/s, name);
    assert.equal(status === "later", feature !== undefined, name);
  }
});

test("a name is found with and without zookeeper., and by its other spellings", () => {
  for (const name of ["snapCount", "zookeeper.snapCount", "zookeeper.jute.maxbuffer", "observer.syncEnabled"]) {
    assert.equal(findSetting(name).as, "setting", name);
  }
  const patterns: readonly [string, string, string][] = [
    ["server.3", "server.N", "3"],
    ["server.x", "server.N", "x"],
    ["weight.1", "weight.N", "1"],
    ["group.2", "group.N", "2"],
    ["authProvider.sasl", "authProvider.X", "sasl"],
    ["zookeeper.authProvider.1", "authProvider.X", "1"],
    ["superUser", "superUser.X", ""],
    ["superUser.2", "superUser.X", "2"],
    ["metricsProvider.other", "metricsProvider.X", "other"],
  ];
  for (const [key, name, part] of patterns) assert.deepEqual(findSetting(key), { as: "pattern", name, part }, key);
  assert.deepEqual(findSetting("throttledOpWaitTime"), { as: "label", instead: "throttled_op_wait_time" });
  assert.deepEqual(findSetting("maxClientCnxn"), { as: "unknown", nearest: "maxClientCnxns" });
  assert.deepEqual(findSetting("completely.different.thing"), { as: "unknown", nearest: undefined });
});

test("docs/configuration.md is current (else run: node scripts/configuration-page.mjs)", () => {
  const page = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
  assert.equal(page, configurationPage());
});

test("the help for a terminal names every working setting", () => {
  const help = settingsHelp();
  for (const { name, doc } of Object.values(builtSettings))
    assert.ok(help.includes(`  ${name}  (`) && help.includes(doc), name);
});
