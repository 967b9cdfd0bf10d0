// The four-letter words, read into what two right servers agree on: identities of sessions and watches, counts of
// nodes and connections, settings, and the shape of everything else. Times, sizes and speeds are left out.

const lines = (text) => text.split("\n").filter((line) => line !== "");
const sorted = (list) => [...list].sort((a, b) => (a < b ? -1 : 1));

/** `key<separator>value` lines; those whose key matches `vague` keep only their key. */
function pairs(text, separator, vague = /^$/) {
  return Object.fromEntries(
    lines(text).map((line) => {
      const at = line.indexOf(separator);
      const [key, value] = at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + separator.length)];
      return [key, vague.test(key) ? "any" : value];
    }),
  );
}

/** Lines without indent, each with the indented ones behind it. */
function blocks(text, nameOfHead, nameOfItem) {
  const result = {};
  let items = [];
  const all = text.split("\n");
  for (const [i, line] of all.entries()) {
    if (line.startsWith("\t")) items.push(nameOfItem(line.slice(1)));
    // An empty line is the end, or a path: "" can be watched.
    else if (line !== "" || all[i + 1]?.startsWith("\t")) {
      items = [];
      result[nameOfHead(line)] = items;
    }
  }
  for (const list of Object.values(result)) list.sort();
  return result;
}

const same = (text) => text;

function srvr(text) {
  return pairs(text, ": ", /^(Zookeeper version|Latency min\/avg\/max|Received|Sent)$/);
}

/** Sessions, their ephemerals, and connections by session; the times are left out, and with them the grouping. */
function dump(text, translator) {
  const [sessions, ephemerals, connections] = text.split(/^ephemeral nodes dump:\n|^Connections dump:\n/m);
  const shape = lines(text).map((line) =>
    line
      .replace(/^\t.*/, "\t...")
      .replace(/^(0x)?[0-9a-f]+:$/, "0x:")
      .replace(/\d+ expire at .*/, dated)
      .replaceAll(/\(\d+\)/g, "(n)"),
  );
  return {
    sessions: sorted(hexIds(sessions, translator)),
    ephemerals: blocks(ephemerals.slice(ephemerals.indexOf("\n")), (head) => idOf(head, translator), same),
    connections: sorted(hexIds(connections, translator)),
    shape: sorted(new Set(shape.filter((line) => line !== "0x:" && line !== "\t..."))),
  };
}

const dated = (line) =>
  /^\d+ expire at \w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}:$/.test(line) ? "n expire at a time" : line;
const hexIds = (text, translator) => [...text.matchAll(/0x[0-9a-f]+/g)].map(([id]) => translator.session(BigInt(id)));
const idOf = (text, translator) => translator.session(BigInt(text.replace(":", "")));

/** One line per connection; the one that asks has no session. */
function cons(text, translator) {
  const result = lines(text).map((line) => {
    const fields = pairs(
      line
        .replace(/^ \/[^(]*\(/, "")
        .replace(/\)$/, "")
        .replaceAll(",", "\n"),
      "=",
      /^(queued|est|lresp|.*lat|recved|sent|lop)$/,
    );
    if (fields.sid) fields.sid = translator.session(BigInt(fields.sid));
    return fields;
  });
  return result.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** The figures of `mntr` that say what is in the server; Apache has some two hundred more about its inner life. */
function mntr(text) {
  const all = pairs(text, "\t");
  const names = [
    "server_state",
    "znode_count",
    "watch_count",
    "ephemerals_count",
    "num_alive_connections",
    "outstanding_requests",
  ];
  return Object.fromEntries([...names, "global_sessions"].map((name) => [name, all[`zk_${name}`] ?? "missing"]));
}

/** @type {Record<string, (text: string, translator: import("./translate.mjs").Translator) => any>} */
export const readers = {
  srvr,
  stat: (text) => ({
    ...srvr(text.replace(/^ .*\n/gm, "")),
    clients: lines(text).filter((line) => line.startsWith(" /")).length,
  }),
  wchs: same,
  wchc: (text, translator) => blocks(text, (head) => idOf(head, translator), same),
  wchp: (text, translator) => blocks(text, same, (item) => idOf(item, translator)),
  dump,
  cons,
  mntr,
  conf: (text) => pairs(text, "=", /^(clientPort|data(Log)?Dir|data(Dir|Log)Size)$/),
  dirs: (text) => pairs(text, ": ", /size$/),
  envi: (text) => Object.keys(pairs(text, "=")),
  ruok: same,
  isro: same,
  gtmk: same,
  crst: same,
  srst: same,
};
