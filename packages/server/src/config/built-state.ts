// Settings of the data directory, the transaction log, snapshots, the tree and who may do what. Field = name in ServerConfig.
// Facts: reference/zookeeper-features.md 4.5, disk-format.md; FileTxnLog, FileTxnSnapLog, SyncRequestProcessor.

import { choice, flag, integer, list, strictFlag, text, word, yesNo } from "./kinds.ts";
import { built, optional } from "./setting.ts";

const maxKib = Math.floor(Number.MAX_SAFE_INTEGER / 1024);

export const storageSettings = {
  dataDir: optional("dataDir", {
    form: "zoo.cfg",
    kind: word("directory"),
    doc: "The directory of snapshots, and of the transaction log unless dataLogDir is set. Without a zoo.cfg: ./data.",
  }),
  dataLogDir: optional("dataLogDir", {
    form: "zoo.cfg",
    kind: word("directory"),
    doc: "The directory of the transaction log; a disk of its own makes writes faster. Left out: the dataDir.",
  }),
  datadirAutocreate: built("datadir.autocreate", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Creates missing data directories. With false a missing one stops the server.",
  }),
  dbAutocreate: built("db.autocreate", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Takes an empty data directory for a new database. With false it needs a file named initialize in dataLogDir.",
  }),
  preAllocBytes: built("preAllocSize", {
    form: "property",
    kind: integer({ min: -maxKib, max: maxKib, unit: "KiB", scale: 1024 }),
    default: "65536",
    doc: "By how much a transaction log file grows at a time, ahead of what is written. 0 or less: not at all.",
  }),
  forceSync: built("forceSync", {
    form: "property",
    kind: yesNo({ unlessSaid: true }),
    default: "yes",
    doc: "With no, writes are acknowledged before they are on disk: a power failure loses them.",
  }),
  fsyncWarningThresholdMs: built("fsync.warningthresholdms", {
    form: "property",
    kind: integer({ min: 0, unit: "ms" }),
    default: "1000",
    doc: "A log flush that takes longer than this is reported.",
  }),
  flushDelayMs: built("flushDelay", {
    form: "property",
    kind: integer({ min: 0, unit: "ms" }),
    default: "0",
    doc: "How long a write may wait for others to share its flush. 0: it waits for none.",
  }),
  maxBatchSize: built("maxBatchSize", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "1000",
    doc: "Writes after which a flush is due even though more are waiting.",
  }),
  snapCount: built("snapCount", {
    form: "property",
    kind: integer({ atLeast: 2 }),
    default: "100000",
    doc: "Transactions after which a snapshot is due; the real number is drawn between half of it and all of it.",
  }),
  snapSizeLimitBytes: built("snapSizeLimitInKb", {
    form: "property",
    kind: integer({ min: -maxKib, max: maxKib, unit: "KiB", scale: 1024 }),
    default: "4194304",
    doc: "Bytes of log after which a snapshot is due, drawn like snapCount. 0 or less: no such limit.",
  }),
  txnLogSizeLimitBytes: built("txnLogSizeLimitInKb", {
    form: "property",
    kind: integer({ min: -maxKib, max: maxKib, unit: "KiB", scale: 1024 }),
    default: "-1",
    doc: "Size at which a new transaction log file is begun, snapshot or not. 0 or less: no limit.",
  }),
  snapshotCompression: built("snapshot.compression.method", {
    form: "property",
    kind: choice<"" | "gz" | "snappy">({ "": "", gz: "gz", snappy: "snappy" }),
    default: "",
    doc: "How new snapshots are compressed. Existing ones are read by their file name, whatever this says.",
  }),
  snapshotTrustEmpty: built("snapshot.trust.empty", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Starts from transaction logs alone when no snapshot is there. For upgrades from 3.4 only; set it back after.",
  }),
  serializeLastProcessedZxid: built("serializeLastProcessedZxid.enabled", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Writes the last applied zxid into snapshots.",
  }),
  autopurgeSnapRetainCount: built("autopurge.snapRetainCount", {
    form: "zoo.cfg",
    kind: integer({ atLeast: 3 }),
    default: "3",
    doc: "Snapshots that purging keeps, with the logs that belong to them. At least 3.",
  }),
  autopurgePurgeIntervalHours: built("autopurge.purgeInterval", {
    form: "zoo.cfg",
    kind: integer({ unit: "hours" }),
    default: "0",
    doc: "How often old snapshots and logs are deleted. 0 or less: never.",
  }),
};

export const treeSettings = {
  digestEnabled: built("digest.enabled", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Keeps a digest of the whole tree and writes it into log and snapshots, so that a wrong replica is noticed.",
  }),
  closeSessionTxnEnabled: built("closeSessionTxn.enabled", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Lists the deleted ephemerals in the transaction that closes a session. Vivarium does so in any case.",
  }),
  enforceQuota: built("enforceQuota", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Refuses writes beyond a hard quota, and reports those beyond a soft one.",
  }),
  extendedTypesEnabled: built("extendedTypesEnabled", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Allows TTL znodes.",
  }),
  emulate353TtlNodes: built("emulate353TTLNodes", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Reads TTL znodes in the encoding of release 3.5.3.",
  }),
  containerCheckIntervalMs: built("znode.container.checkIntervalMs", {
    form: "unprefixed",
    kind: integer({ min: 1, unit: "ms" }),
    default: "60000",
    doc: "How often empty containers and expired TTL znodes are looked for.",
  }),
  containerMaxPerMinute: built("znode.container.maxPerMinute", {
    form: "unprefixed",
    kind: integer({ min: 1 }),
    default: "10000",
    doc: "Containers and TTL znodes deleted per minute at most.",
  }),
  containerMaxNeverUsedIntervalMs: built("znode.container.maxNeverUsedIntervalMs", {
    form: "unprefixed",
    kind: integer({ min: 0, unit: "ms" }),
    default: "0",
    doc: "A container that never had a child is deleted after this time. 0: never.",
  }),
};

/** MessageDigest names of Java, and what Node.js calls them. */
const digestAlgorithms = {
  SHA1: "sha1",
  SHA: "sha1",
  "SHA-1": "sha1",
  "SHA-224": "sha224",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
  "SHA3-256": "sha3-256",
  "SHA3-512": "sha3-512",
  MD5: "md5",
} as const;

export const accessSettings = {
  fourLetterWords: built("4lw.commands.whitelist", {
    form: "property",
    kind: list,
    default: "srvr",
    doc: "Four-letter words the server answers, separated by commas, or * for all. srvr is always answered.",
  }),
  skipAcl: built("skipACL", {
    form: "property",
    kind: yesNo({ unlessSaid: false }),
    default: "no",
    doc: "With yes no ACL is checked: everybody may do everything.",
  }),
  digestAuthEnabled: built("DigestAuthenticationProvider.enabled", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Offers the digest scheme (user and password).",
  }),
  superDigest: optional("DigestAuthenticationProvider.superDigest", {
    form: "property",
    kind: text("super:base64"),
    doc: "The digest of the superuser, to whom no ACL applies. Left out: there is none.",
  }),
  digestAlgorithm: built("DigestAuthenticationProvider.digestAlg", {
    form: "property",
    kind: choice<(typeof digestAlgorithms)[keyof typeof digestAlgorithms]>(digestAlgorithms),
    default: "SHA1",
    doc: "The hash behind digest ids. ACLs made with another one no longer match.",
  }),
  enforceAuthEnabled: built("enforce.auth.enabled", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Serves only connections that have authenticated with one of enforce.auth.schemes.",
  }),
  enforceAuthSchemes: built("enforce.auth.schemes", {
    form: "property",
    kind: list,
    default: "",
    doc: "The schemes that enforce.auth.enabled asks for, separated by commas.",
  }),
  standaloneEnabled: built("standaloneEnabled", {
    form: "zoo.cfg",
    kind: strictFlag,
    default: "true",
    doc: "A single server runs as a standalone server. With false it runs as an ensemble of one.",
  }),
  reconfigEnabled: built("reconfigEnabled", {
    form: "zoo.cfg",
    kind: strictFlag,
    default: "false",
    doc: "Allows changing the members of an ensemble. A standalone server refuses the request either way.",
  }),
};
