import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, type ConfigProblem, formatProblem } from "./config-error.ts";
import { defaultConfig, type Override, parseConfig } from "./parse-config.ts";
import type { ServerConfig } from "./server-config.ts";
import { laterSettings } from "./settings.ts";

const base = "dataDir=/zk\nclientPort=2181\n";

const read = (lines: string, overrides: readonly Override[] = []) => {
  return parseConfig({ file: "zoo.cfg", text: `${base}${lines}`, overrides });
};

function refusal(text: string, overrides: readonly Override[] = []): ConfigError {
  try {
    parseConfig({ file: "zoo.cfg", text, overrides, myid: { file: "/zk/myid", text: "1" } });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `accepted: ${text}` });
}

test("without a file a server listens on this machine only and keeps its data in ./data", () => {
  const config = defaultConfig();
  assert.equal(config.clientPortAddress, "127.0.0.1");
  assert.equal(config.clientPort, 2181);
  assert.equal(config.dataDir, "./data");
  assert.equal(config.dataLogDir, "./data");
  assert.equal(config.tickTimeMs, 3000);
  assert.deepEqual([...config.fourLetterWords], ["srvr"]);
  assert.equal(config.given.size, 0);
});

test("Apache's sample file gives no warning", () => {
  const text = `# The number of milliseconds of each tick
tickTime=2000
initLimit=10
syncLimit=5
dataDir=/tmp/zookeeper
clientPort=2181
#maxClientCnxns=60
autopurge.snapRetainCount=3
autopurge.purgeInterval=1
`;
  const { config, warnings } = parseConfig({ file: "zoo.cfg", text });
  assert.deepEqual(warnings, []);
  assert.equal(config.clientPortAddress, undefined);
  assert.equal(config.minSessionTimeoutMs, 4000);
  assert.equal(config.maxSessionTimeoutMs, 40_000);
  assert.equal(config.autopurgePurgeIntervalHours, 1);
});

test("a setting's text becomes its field", () => {
  const cases: readonly [string, Partial<ServerConfig>][] = [
    ["clientPortAddress=10.0.0.1", { clientPortAddress: "10.0.0.1" }],
    ["dataLogDir=/log", { dataLogDir: "/log" }],
    ["minSessionTimeout=100\nmaxSessionTimeout=100", { minSessionTimeoutMs: 100, maxSessionTimeoutMs: 100 }],
    ["minSessionTimeout=-1", { minSessionTimeoutMs: 6000 }],
    ["preAllocSize=1024", { preAllocBytes: 1_048_576 }],
    ["preAllocSize=0", { preAllocBytes: 0 }],
    ["txnLogSizeLimitInKb=-1", { txnLogSizeLimitBytes: -1 }],
    ["snapSizeLimitInKb=4194304", { snapSizeLimitBytes: 4 * 1024 ** 3 }],
    ["jute.maxbuffer=0xfffff", { maxBufferBytes: 1_048_575 }],
    ["zookeeper.jute.maxbuffer=4194304", { maxBufferBytes: 4_194_304 }],
    ["flushDelay=10", { flushDelayMs: 10 }],
    ["forceSync=no", { forceSync: false }],
    ["skipACL=yes", { skipAcl: true }],
    ["snapshot.compression.method=GZ", { snapshotCompression: "gz" }],
    ["snapshot.compression.method=snappy", { snapshotCompression: "snappy" }],
    ["snapshot.compression.method=", { snapshotCompression: "" }],
    ["digest.enabled=False", { digestEnabled: false }],
    ["enforceQuota=TRUE", { enforceQuota: true }],
    ["DigestAuthenticationProvider.digestAlg=sha-256", { digestAlgorithm: "sha256" }],
    ["enforce.auth.enabled=true\nenforce.auth.schemes= digest , ip,", { enforceAuthSchemes: ["digest", "ip"] }],
    ["connection_throttle_drop_increase=.5", { connectionThrottleDropIncrease: 0.5 }],
    ["maxClientCnxns=-1", { maxClientCnxns: -1 }],
    ["znode.container.maxNeverUsedIntervalMs=300000", { containerMaxNeverUsedIntervalMs: 300_000 }],
    ["4lw.commands.whitelist=stat, ruok", { fourLetterWords: new Set(["stat", "ruok", "srvr"]) }],
    ["4lw.commands.whitelist=", { fourLetterWords: new Set(["srvr"]) }],
    ["readonlymode.enabled=true", { fourLetterWords: new Set(["srvr", "isro"]) }],
    [
      "authProvider.2=b\nauthProvider.1=@me/a",
      {
        authProviders: [
          { key: "1", module: "@me/a" },
          { key: "2", module: "b" },
        ],
      },
    ],
  ];
  for (const [lines, wanted] of cases) {
    const { config } = read(lines);
    for (const [field, value] of Object.entries(wanted)) {
      assert.deepEqual(config[field as keyof ServerConfig], value, `${lines}: ${field}`);
    }
  }
});

test("the star stands for every four-letter word", () => {
  const { config, warnings } = read("4lw.commands.whitelist=*");
  assert.equal(config.fourLetterWords.size, 18);
  assert.deepEqual(warnings, []);
});

test("the command line comes before the file, the file before the default", () => {
  const overrides = [
    { name: "clientPort", value: "0", option: "--port" },
    { name: "zookeeper.snapCount", value: "7" },
    { name: "snapCount", value: "8" },
  ];
  const { config } = read("snapCount=5\nmaxCnxns=9", overrides);
  assert.equal(config.clientPort, 0);
  assert.equal(config.snapCount, 8);
  assert.equal(config.maxCnxns, 9);
  assert.equal(config.given.get("snapCount"), "8");
  assert.equal(parseConfig({ overrides }).config.clientPortAddress, "127.0.0.1");
});

const ensemble = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n";
const limits = "initLimit=10\nsyncLimit=5\n";

test("a member of an ensemble knows itself by its myid file, and the others by the membership", () => {
  const text = `dataDir=/zk\nclientPort=2181\n${limits}`;
  const myid = (content: string | undefined) => ({ file: "/zk/myid", text: content });
  const read = (id: string | undefined, more = ensemble) =>
    parseConfig({ file: "zoo.cfg", text: text + more, myid: myid(id) }).config;
  const { id, isDistributed, membership } = read("2\n");
  assert.deepEqual([id, isDistributed, membership.members.map((m) => m.id)], [2, true, [1, 2, 3]]);
  assert.throws(() => read("7"), /\/zk\/myid: myid: 7, but no server\.7 is configured/);
  for (const content of [undefined, "", " 2", "two"]) {
    assert.throws(() => read(content), /\/zk\/myid: myid: missing, or not a whole number/);
  }
  const dynamic = { file: "/zk/zoo.cfg.dynamic", text: ensemble.replace("2\n", "2:participant;9.9.9.9:2199\n") };
  const without = text.replace("clientPort=2181\n", "");
  const named = { file: "zoo.cfg", text: `${without}dynamicConfigFile=/zk/zoo.cfg.dynamic`, dynamic };
  const { config } = parseConfig({ ...named, myid: myid("1") });
  assert.deepEqual([config.clientPort, config.clientPortAddress, config.isDistributed], [2199, "9.9.9.9", true]);
  assert.equal(parseConfig({ ...named, myid: myid("1") }).config.membershipVersion, 0);
  const versions = [
    { name: "zoo.cfg.dynamic", line: "version=10000000a\n", is: 0x10000000a },
    { name: "zoo.cfg.dynamic.20000000b", line: "", is: 0x20000000b },
    { name: "zoo.cfg.dynamic.20000000b", line: "version=10000000a\n", is: 0x20000000b },
  ];
  for (const { name, line, is } of versions) {
    const versioned = { file: `/zk/${name}`, text: dynamic.text + line };
    assert.equal(parseConfig({ ...named, dynamic: versioned, myid: myid("1") }).config.membershipVersion, is);
  }
  const strange = { ...dynamic, text: `${dynamic.text}tickTime=5\n` };
  assert.throws(
    () => parseConfig({ ...named, dynamic: strange, myid: myid("1") }),
    /dynamic:4: tickTime: does not belong/,
  );
});

test("a value that cannot be used names file, line, key and what to write", () => {
  const cases: readonly [string, RegExp][] = [
    [
      "tickTime=abc",
      /^zoo\.cfg:3: tickTime: "abc" cannot be used\. Write a whole number from 1 .*, in ms, for example tickTime=3000\.$/,
    ],
    ["tickTime=0", /tickTime: "0" .* from 1 to/],
    ["tickTime=", /tickTime: "" /],
    ["tickTime=2000 # ms", /tickTime: "2000 # ms" /],
    ["maxClientCnxns=010", /"010"/],
    ["snapCount=99999999999", /snapCount: .* from 2 to 2147483647, for example snapCount=100000/],
    ["snapCount=1e3", /"1e3"/],
    ["standaloneEnabled=yes", /standaloneEnabled: "yes" .* Write true or false/],
    ["snapshot.compression.method=zip", /Write one of: \(empty\), gz, snappy/],
    ["electionAlg=1", /electionAlg: "1" .* one of: 3/],
    ["connection_throttle_decrease_ratio=2", /decimal number from 0 to 1/],
    ["dataLogDir=", /dataLogDir: "" .* Write a directory/],
    [
      "minSessionTimeout=70000",
      /minSessionTimeout: the shortest session timeout, 70000 ms, is above the longest, 60000 ms/,
    ],
    ["server.x=h:1:2", /server\.x: "x" is not a number/],
    ["server.1=h:1", /server\.1: "h:1": .* not host:quorumPort:electionPort/],
    ["server.1=a:1:2|b:1:2", /server\.1: has several addresses\. Write multiAddress\.enabled=true/],
    ["weight.1=-1", /weight\.1: "-1" cannot be used/],
    ["group.1=a", /group\.1: "a" cannot be used/],
    ["enforce.auth.enabled=true", /enforce\.auth\.schemes names no scheme/],
    [
      "enforce.auth.enabled=true\nenforce.auth.schemes=sasl",
      /^zoo\.cfg:4: .*the scheme "sasl" is not available\. Write one of: digest, ip/,
    ],
    ["sessionRequireClientSASLAuth=true", /SASL is not built yet/],
    ["standaloneEnabled=false", /standaloneEnabled: false, and no server is listed/],
    [`${ensemble}syncLimit=5`, /initLimit: required in an ensemble\. Write initLimit=10/],
    [`${ensemble}syncLimit=0\ninitLimit=5`, /syncLimit: 0 ticks are no time at all/],
    [`${ensemble}${limits}group.1=1:2`, /server 3 is in no group/],
    [`${ensemble}${limits}group.1=1:2:3\ngroup.2=3`, /server 3 is in 2 groups/],
    ["server.1=a:1:2\nserver.2=b:1:2:observer", /an observer needs an ensemble/],
    ["a=\\u00", /^zoo\.cfg:3: syntax: /],
  ];
  for (const [lines, wanted] of cases) {
    const error = refusal(base + lines);
    assert.equal(error.problems.length, 1, error.message);
    assert.match(error.message, wanted);
    assert.equal(error.file, "zoo.cfg");
  }
});

test("what is missing is asked for", () => {
  const { problems } = refusal("clientPortAddress=127.0.0.1");
  assert.deepEqual(problems.map(formatProblem), [
    "zoo.cfg: dataDir: not set. Write dataDir=/var/lib/zookeeper.",
    "zoo.cfg: clientPort: not set. Write clientPort=2181.",
  ]);
});

test("all problems are reported together, in the order of the file, then the command line", () => {
  const error = refusal("clientPort=x\ntickTime=y\nserver.1=z\nsnpCount=1\n", [{ name: "snapCount", value: "w" }]);
  assert.deepEqual(
    error.problems.map(({ line, key }) => [line, key]),
    [
      [1, "clientPort"],
      [2, "tickTime"],
      [3, "server.1"],
      [undefined, "--set snapCount"],
      [undefined, "dataDir"],
    ],
  );
  assert.equal(error.warnings.length, 1);
  assert.equal(error.key, "clientPort");
  assert.equal(error.line, 1);
});

test("what an operator should know is a warning, not an error", () => {
  const cases: readonly [string, RegExp][] = [
    ["snpCount=5", /^zoo\.cfg:3: snpCount: not a known setting; it has no effect\. Did you mean snapCount\?$/],
    ["completely.different=5", /not a known setting; it has no effect\.$/],
    ["connectionMaxTokens=5", /heading of Apache's guide.* Write connection_throttle_tokens instead/],
    ["maxCnxns=1\nmaxCnxns=2", /^zoo\.cfg:4: maxCnxns: set a second time; line 3 no longer counts/],
    ["snapCount=1", /"1": too small; 2 is used/],
    ["autopurge.snapRetainCount=2", /"2": too small; 3 is used/],
    ["digest.enabled=yes", /"yes": reads as false/],
    ["forceSync=false", /"false": reads as yes/],
    ["forceSync=no", /a power failure can lose them/],
    ["skipACL=yes", /no ACL is checked/],
    ["closeSessionTxn.enabled=false", /always lists its ephemerals/],
    ["snapshot.trust.empty=true", /set it back/],
    ["secureClientPort=2182", /belongs to TLS, which this version does not have yet/],
    ["ssl.keyStore.location=/k", /belongs to TLS/],
    ["admin.enableServer=true", /belongs to the admin server/],
    ["admin.serverPort=9090", /belongs to the admin server/],
    [
      "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
      /metrics providers/,
    ],
    ["metricsProvider.custom=1", /metrics providers/],
    ["localSessionsEnabled=true", /belongs to local sessions/],
    ["observerMasterPort=2191", /belongs to observer masters/],
    ["oraclePath=/oracle", /belongs to the oracle/],
    ["readonlymode.enabled=true", /belongs to read-only mode/],
    ["superUser=bob", /belongs to SASL/],
    ["authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider", /x509 and sasl are not built yet/],
    ["authProvider.1=com.example.Mine", /not the name of an npm module/],
    ["server.1=h:2888:3888", /the only server; it runs standalone/],
    ["4lw.commands.whitelist=mtnr", /"mtnr" is not a four-letter word\. Did you mean mntr\?/],
    ["JVMFLAGS=-Xmx1g", /variable of Apache's start scripts/],
  ];
  for (const [lines, wanted] of cases) {
    const { warnings } = read(lines);
    assert.equal(warnings.length, 1, `${lines}: ${warnings.map(formatProblem).join("; ")}`);
    assert.match(warnings.map(formatProblem).join(), wanted);
  }
});

test("a setting that asks for a feature not built yet says so, alone and in an ensemble", () => {
  const myid = { file: "/zk/myid", text: "1" };
  for (const setting of laterSettings) {
    const value = ["true", "false", "7", "0.5", "/some/file", "PEM"].find((text) => {
      return text !== (setting.off ?? setting.default) && "value" in setting.kind.parse(text);
    });
    for (const mode of ["", `${ensemble}initLimit=5\nsyncLimit=5\n`]) {
      const text = `clientPort=2181\ndataDir=/zk\n${mode}${setting.name}=${value}\n`;
      const problems: readonly ConfigProblem[] = warningsOf({
        file: "zoo.cfg",
        text,
        ...(mode === "" ? {} : { myid }),
      });
      const line = text.split("\n").length - 1;
      const wanted = `zoo.cfg:${line}: ${setting.name}: belongs to ${setting.feature}, which this version does not have yet`;
      assert.ok(problems.map(formatProblem).join("\n").includes(wanted), wanted);
    }
  }
});

/** Also of a configuration that is refused. */
function warningsOf(options: Parameters<typeof parseConfig>[0]): readonly ConfigProblem[] {
  try {
    return parseConfig(options).warnings;
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.warnings;
  }
}

test("settings that ask for nothing, or for what is there anyway, are passed over in silence", () => {
  const lines = `initLimit=0
syncLimit=-1
peerType=participant
reconfigEnabled=true
leaderServes=no
admin.enableServer=false
localSessionsEnabled=false
fips-mode=TRUE
metricsProvider.className=org.apache.zookeeper.metrics.impl.DefaultMetricsProvider
serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory
nio.numWorkerThreads=64
maxResponseCacheSize=0
authProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider`;
  const { config, warnings } = read(lines);
  assert.deepEqual(warnings.map(formatProblem), []);
  assert.deepEqual(config.authProviders, []);
});

test("a single server line may carry the client port, and clientPort comes before it", () => {
  const alone = parseConfig({ file: "zoo.cfg", text: "dataDir=/zk\nserver.1=h:2888:3888;127.0.0.1:2199" });
  assert.equal(alone.config.clientPort, 2199);
  assert.equal(alone.config.clientPortAddress, "127.0.0.1");
  const both = read("server.1=h:2888:3888;2199");
  assert.equal(both.config.clientPort, 2181);
  assert.match(both.warnings.map(formatProblem).join("\n"), /its client port 2199 is not clientPort, 2181/);
});
