// The eighteen four-letter words, asked of Apache and of Vivarium after the same few operations: the same lines with the
// same keys, figures that say what is in the server equal, everything else of the same kind.

import { connect } from "node:net";
import { startApache } from "./lib/apache.mjs";
import { fourLetterWord, sleep } from "./lib/net.mjs";
import { RawClient } from "./lib/raw-client.mjs";
import { startVivarium } from "./lib/vivarium.mjs";

const servers = { apache: startApache, vivarium: startVivarium };

const all = "conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs".split(" ");
const traceMask = "\0\0\0\0\0\0\x01\x32";
const asked = (word) => (word === "stmk" ? word + traceMask : word);

/** Figures of mntr that dashboards and alerts are built on; all of them are Apache's. */
const figures = [
  ..."version server_state avg_latency max_latency min_latency packets_received packets_sent".split(" "),
  ..."num_alive_connections outstanding_requests uptime znode_count watch_count ephemerals_count".split(" "),
  ..."approximate_data_size global_sessions local_sessions open_file_descriptor_count".split(" "),
  ..."max_file_descriptor_count connection_drop_probability connection_rejected connection_drop_count".split(" "),
  ..."connection_request_count connection_revalidate_count sessionless_connections_expired".split(" "),
  ..."stale_sessions_expired auth_failed_count bytes_received_count response_bytes watch_bytes".split(" "),
  ..."throttled_ops request_throttle_wait_count stale_requests_dropped large_requests_rejected".split(" "),
  ..."last_client_response_size max_client_response_size min_client_response_size".split(" "),
  ..."digest_mismatches_count outstanding_tls_handshake looking_count proposal_count snap_count".split(" "),
  ..."learner_proposal_received_count learner_commit_received_count".split(" "),
  ...["fsynctime", "snapshottime", "dbinittime", "startup_txns_loaded", "startup_txns_load_time"].flatMap(summary),
  ...["startup_snap_load_time", "connection_token_deficit", "sync_processor_batch_size"].flatMap(summary),
  ...["election_time", "unavailable_time"].flatMap(summary),
  ...["readlatency", "updatelatency", "propagation_latency"].flatMap((name) => [
    ...summary(name),
    ...["p50", "p95", "p99", "p999"].map((part) => `${part}_${name}`),
  ]),
].map((name) => `zk_${name}`);

function summary(name) {
  return ["avg", "min", "max", "cnt", "sum"].map((kind) => `${kind}_${name}`);
}

/** What follows from the operations alone. */
const certain = [
  ..."server_state znode_count watch_count ephemerals_count approximate_data_size global_sessions".split(" "),
  ..."num_alive_connections outstanding_requests last_client_response_size".split(" "),
  ..."max_client_response_size min_client_response_size cnt_readlatency cnt_updatelatency".split(" "),
  ..."cnt_propagation_latency connection_request_count response_bytes max_file_descriptor_count".split(" "),
  ...["created", "deleted", "changed", "children"].flatMap((what) => summary(`node_${what}_watch_count`)),
].map((name) => `zk_${name}`);

/** Figures that only Vivarium has. */
const ours = new Set(["zk_resident_memory_bytes"]);

/** Some state to speak of. */
async function prepare(server) {
  const client = await RawClient.connect({ port: server.port, timeOut: 10_000 });
  // Every kind of change is told to somebody: one of them to two, who are one client, and count as one.
  await client.ask("addWatch", { path: "/told", mode: 0 });
  await client.call("exists", { path: "/told", watch: true });
  await client.ask("create", { path: "/told" });
  await client.ask("setData", { path: "/told", data: "x" });
  await client.ask("create", { path: "/told/child" });
  await client.ask("delete", { path: "/told/child" });
  await client.ask("delete", { path: "/told" });
  await client.ask("removeWatches", { path: "/told", type: 3 });
  await client.ask("create", { path: "/a", data: "x" });
  await client.ask("create", { path: "/e", data: "x", flags: 1 });
  await client.ask("exists", { path: "/a", watch: true });
  await client.ask("getData", { path: "/e", watch: true });
  await client.ask("getChildren", { path: "/", watch: true });
  return client;
}

async function answersOf(start, properties) {
  const server = await start({ config: { tickTime: 500, ...properties } });
  try {
    const client = await prepare(server);
    const answers = {};
    // Those that begin the counting anew come last.
    const inOrder = [...all.filter((word) => !/^(crst|srst)$/.test(word)), "srst", "crst"];
    for (const word of inOrder) answers[word] = await fourLetterWord(server.port, asked(word));
    const halfClosed = {};
    for (const word of all) halfClosed[word] = await askAndSayNoMore(server.port, asked(word));
    client.destroy();
    await sleep(50);
    return { answers, halfClosed, session: client.sessionId.toString(16) };
  } finally {
    await server.stop();
  }
}

/** As `echo ruok | nc -N` asks: the end of the question follows at once. */
function askAndSayNoMore(port, text) {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end(text));
    socket.setTimeout(5000, () => socket.destroy(new Error("no end of the answer in 5 s")));
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

/** A text without what two right servers may differ in. */
function shapeOf(word, text, session) {
  const plain = text
    .replaceAll(`0x${session}`, "0xSESSION")
    .replace(/^(Zookeeper version: ).*/m, "$1any")
    .replaceAll(/expire at \w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}:/g, "expire at a time:")
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "client")
    .replace(/^(Received|Sent): \d+/gm, "$1: n")
    .replace(/^Latency min\/avg\/max: \d+\/\d+\.\d+\/\d+/m, "Latency")
    .replaceAll(/\b(est|lresp|llat|minlat|avglat|maxlat)=\d+/g, "$1=n")
    .replace(/^(clientPort|data(?:Log)?Dir|data(?:Dir|Log)Size)=.*/gm, "$1=any")
    .replace(/^((?:data|log)dir_size: )\d+/gm, "$1n");
  // The sets of the connections' deadlines depend on the moment at which somebody asks, and Apache shows empty ones too.
  if (word === "dump") return withoutEmptySets(plain).replace(/(Connections dump:\n)[\s\S]*/, "$1");
  if (word === "cons" || word === "stat") return sortedClients(plain);
  return plain;
}

const withoutEmptySets = (text) =>
  text.replaceAll(/^0 expire at a time:\n/gm, "").replaceAll(/Sets \(\d+\)/g, "Sets (n)");

function sortedClients(text) {
  const lines = text.split("\n");
  const isClient = (line) => line.startsWith(" /");
  const at = lines.findIndex(isClient);
  const clients = lines.filter(isClient).sort();
  return lines
    .filter((line) => !isClient(line))
    .toSpliced(at, 0, ...clients)
    .join("\n");
}

const keysOf = (text, separator) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(separator, 1)[0]);
const figuresOf = (text) =>
  new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t")),
  );
const kindOf = (value) => (/^-?\d+$/.test(value) ? "whole" : /^-?\d+\.\d{1,4}$/.test(value) ? "double" : "text");

function compareWord(word, apache, vivarium) {
  if (word === "envi") return differences(keysOf(apache.answers.envi, "="), keysOf(vivarium.answers.envi, "="));
  if (word === "mntr") return compareFigures(figuresOf(apache.answers.mntr), figuresOf(vivarium.answers.mntr));
  const [theirs, own] = [apache, vivarium].map(({ answers, session }) => shapeOf(word, answers[word], session));
  return differences(theirs, own);
}

function differences(expected, actual) {
  const [want, have] = [JSON.stringify(expected), JSON.stringify(actual)];
  return want === have ? [] : [`Apache ${want}, Vivarium ${have}`];
}

function compareFigures(theirs, own) {
  const problems = [];
  for (const name of figures) {
    if (!theirs.has(name)) problems.push(`${name} is none of Apache's`);
    else if (!own.has(name)) problems.push(`${name} is missing`);
    else if (kindOf(theirs.get(name)) !== kindOf(own.get(name)))
      problems.push(`${name} is ${own.get(name)}, Apache's ${theirs.get(name)}`);
  }
  for (const name of own.keys())
    if (!theirs.has(name) && !ours.has(name)) problems.push(`${name} is unknown to Apache`);
  for (const name of certain) {
    if (theirs.get(name) !== own.get(name)) problems.push(`${name} is ${own.get(name)}, Apache's ${theirs.get(name)}`);
  }
  return problems;
}

/** A half-closed question gets as many lines as a whole one. */
function compareHalfClosed({ answers, halfClosed }) {
  const lineCount = (text) => text.split("\n").length;
  return all
    .filter((word) => !/^(cons|stat|dump)$/.test(word) && lineCount(answers[word]) !== lineCount(halfClosed[word]))
    .map((word) => `${word}: ${lineCount(halfClosed[word])} of ${lineCount(answers[word])} lines`);
}

async function compare() {
  const startedAt = Date.now();
  const report = { ok: [], failures: [] };
  const note = (name, problems) => {
    if (problems.length === 0) report.ok.push(name);
    else report.failures.push(...problems.map((problem) => `${name}: ${problem}`));
  };
  const apache = await answersOf(servers.apache);
  const vivarium = await answersOf(servers.vivarium);
  for (const word of all) note(word, compareWord(word, apache, vivarium));
  note("whoever says no more still gets the whole answer", compareHalfClosed(vivarium));
  const refusals = { "4lw.commands.whitelist": "ruok" };
  const refusedByApache = await refusalsOf(servers.apache, refusals);
  note("words outside the whitelist", differences(refusedByApache, await refusalsOf(servers.vivarium, refusals)));
  const lacking = [...figuresOf(apache.answers.mntr).keys()].filter(
    (key) => !figuresOf(vivarium.answers.mntr).has(key),
  );
  return { report: { ...report, seconds: (Date.now() - startedAt) / 1000 }, lacking };
}

async function refusalsOf(start, config) {
  const server = await start({ config: { tickTime: 500, ...config } });
  try {
    const answers = {};
    for (const word of all) {
      const text = await fourLetterWord(server.port, asked(word));
      answers[word] = word === "srvr" ? keysOf(text, ":") : text;
    }
    return answers;
  } finally {
    await server.stop();
  }
}

export const words = {
  name: "words",
  title: "four-letter words",
  async run({ verbose }) {
    const { report, lacking } = await compare();
    if (verbose) console.log(`mntr: ${lacking.length} of Apache's figures are not ours:\n${lacking.join(" ")}`);
    return [{ title: words.title, results: { vivarium: report } }];
  },
};
