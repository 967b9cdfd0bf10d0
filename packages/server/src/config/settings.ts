// The table of all settings. Everything said about a setting comes from here: how it is parsed, the field of ServerConfig it
// becomes, `vivarium server --help-settings`, docs/configuration.md, and the nearest name offered for a misspelt one.
//
// The rows live by area in built-*.ts (working), later-*.ts (their feature is not built yet) and unneeded.ts (accepted, no effect).

import { ensembleSettings } from "./built-ensemble.ts";
import { connectionThrottleSettings, listenerSettings, requestSettings, timeSettings } from "./built-network.ts";
import { accessSettings, storageSettings, treeSettings } from "./built-state.ts";
import { laterEnsembleSettings } from "./later-ensemble.ts";
import { operationsSettings } from "./later-operations.ts";
import { securitySettings } from "./later-security.ts";
import { nearestName } from "./nearest.ts";
import type { Setting, ValuesOf } from "./setting.ts";
import { unneededSettings } from "./unneeded.ts";

/** Working settings by the area they are documented under. */
export const builtByArea = {
  "Client connections": listenerSettings,
  "Time and sessions": timeSettings,
  "Data, log and snapshots": storageSettings,
  "Requests and their limits": requestSettings,
  "Connection throttle": connectionThrottleSettings,
  "The tree": treeSettings,
  "The ensemble": ensembleSettings,
  "Access and start-up": accessSettings,
} as const;

/** Working settings by their field in ServerConfig. */
export const builtSettings = {
  ...listenerSettings,
  ...timeSettings,
  ...storageSettings,
  ...requestSettings,
  ...connectionThrottleSettings,
  ...treeSettings,
  ...ensembleSettings,
  ...accessSettings,
} as const;

export type BuiltField = keyof typeof builtSettings;

/** What each working setting reads as, before defaults that depend on other settings are filled in. */
export type BuiltValues = ValuesOf<typeof builtSettings>;

export const laterSettings: readonly Setting[] = [...laterEnsembleSettings, ...securitySettings, ...operationsSettings];

export { unneededSettings };

export const allSettings: readonly Setting[] = [
  ...Object.values<Setting>(builtSettings),
  ...laterSettings,
  ...unneededSettings,
];

/** Families of keys whose last part the operator chooses. */
export const settingPatterns = [
  {
    name: "server.N",
    pattern: /^server\.(.*)$/,
    doc: "A server of the ensemble: `host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort]`. A single line is ignored while standaloneEnabled is true.",
  },
  { name: "group.N", pattern: /^group\.(.*)$/, doc: "Servers of a group, `1:2:3`." },
  {
    name: "weight.N",
    pattern: /^weight\.(.*)$/,
    doc: "Votes of a server in its group, 1 if left out.",
  },
  {
    name: "authProvider.X",
    pattern: /^authProvider\.(.+)$/,
    doc: "A further authentication scheme: the name of an npm module (Apache: a Java class). X only orders them.",
  },
  { name: "superUser.X", pattern: /^superUser(?:\.(.+))?$/, doc: "Users to whom no ACL applies. Belongs to SASL." },
  {
    name: "metricsProvider.X",
    pattern: /^metricsProvider\.(.+)$/,
    doc: "Settings of a metrics provider. Not built yet.",
  },
] as const;

export type PatternName = (typeof settingPatterns)[number]["name"];

/** Names Apache's guide uses as headings; as keys they do nothing there. The working key stands beside each. */
const guideLabels: ReadonlyMap<string, string> = new Map([
  ["connectionMaxTokens", "connection_throttle_tokens"],
  ["connectionTokenFillTime", "connection_throttle_fill_time"],
  ["connectionTokenFillCount", "connection_throttle_fill_count"],
  ["connectionFreezeTime", "connection_throttle_freeze_time"],
  ["connectionDropIncrease", "connection_throttle_drop_increase"],
  ["connectionDropDecrease", "connection_throttle_drop_decrease"],
  ["connectionDecreaseRatio", "connection_throttle_decrease_ratio"],
  ["requestThrottleLimit", "request_throttle_max_requests"],
  ["requestThrottleStallTime", "request_throttle_stall_time"],
  ["requestThrottleDropStale", "request_throttle_drop_stale"],
  ["requestStaleLatencyCheck", "request_stale_latency_check"],
  ["requestStaleConnectionCheck", "request_stale_connection_check"],
  ["throttledOpWaitTime", "throttled_op_wait_time"],
  ["maxConcurrentSnapSyncs", "leader.maxConcurrentSnapSyncs"],
  ["maxConcurrentDiffSyncs", "leader.maxConcurrentDiffSyncs"],
  ["maxTimeToWaitForEpoch", "leader.maxTimeToWaitForEpoch"],
  ["advancedFlowControlEnabled", "netty.advancedFlowControl.enabled"],
  ["outstandingHandshake.limit", "netty.server.outstandingHandshake.limit"],
]);

const fields: ReadonlyMap<string, BuiltField> = new Map(
  Object.entries(builtSettings).map(([field, { name }]) => [name, field as BuiltField]),
);

const byName: ReadonlyMap<string, Setting> = new Map(
  allSettings.flatMap((setting) => [setting.name, ...(setting.also ?? [])].map((name) => [name, setting] as const)),
);

const knownNames: readonly string[] = [...byName.keys(), ...settingPatterns.map(({ name }) => name)];

/** What a key stands for. */
export type Found =
  | { readonly as: "setting"; readonly setting: Setting; readonly field: BuiltField | undefined }
  | { readonly as: "pattern"; readonly name: PatternName; readonly part: string }
  | { readonly as: "label"; readonly instead: string }
  | { readonly as: "unknown"; readonly nearest: string | undefined };

/** Finds the row a key names, with or without the `zookeeper.` in front. */
export function findSetting(key: string): Found {
  const bare = key.startsWith("zookeeper.") ? key.slice("zookeeper.".length) : key;
  const setting = byName.get(key) ?? byName.get(bare);
  if (setting !== undefined) return { as: "setting", setting, field: fields.get(setting.name) };
  for (const { name, pattern } of settingPatterns) {
    const match = pattern.exec(bare);
    if (match !== null) return { as: "pattern", name, part: match[1] ?? "" };
  }
  const instead = guideLabels.get(bare);
  if (instead !== undefined) return { as: "label", instead };
  return { as: "unknown", nearest: nearestName(bare, knownNames) };
}
