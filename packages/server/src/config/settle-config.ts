// The rules between settings: defaults that depend on other settings, values that exclude each other, and what a
// standalone server cannot honour. Facts: QuorumPeerConfig.parseProperties; reference/disk-format.md section 6.

import type { Membership } from "@vivarium/protocol";
import { allowedWords, fourLetterWords } from "./four-letter-words.ts";
import { nearestName } from "./nearest.ts";
import { place, type Readings } from "./readings.ts";
import type { ServerConfig } from "./server-config.ts";
import { checkMembership, checkOwnId, isDistributed, readMembership } from "./settle-membership.ts";

/** Fills in what depends on other settings, and adds to `errors` and `warnings` what does not fit together. */
export function settleConfig(readings: Readings): ServerConfig {
  const { file, values, given } = readings;
  const membership = readMembership(readings);
  checkMembership(membership, readings);
  const distributed = isDistributed(membership, values.standaloneEnabled);
  const id = distributed ? checkOwnId(membership, readings) : undefined;
  checkAccess(readings);
  warnOfRisks(readings);
  const dataDir = values.dataDir ?? "";
  if (dataDir === "" && !given.has("dataDir"))
    missing(readings, { key: "dataDir", example: "dataDir=/var/lib/zookeeper" });
  return {
    ...values,
    ...settleSessionTimeouts(readings),
    ...settleClientAddress(membership, readings),
    ...settleFourLetterWords(readings),
    file,
    dataDir,
    dataLogDir: values.dataLogDir ?? dataDir,
    authProviders: readAuthProviders(readings),
    membership,
    id,
    isDistributed: distributed,
    given: new Map([...given].map(([name, { value }]) => [name, value])),
  };
}

/** Some settings write -1 for "derive it". */
function orElse(value: number, derived: number): number {
  return value === -1 ? derived : value;
}

function missing(readings: Readings, options: { readonly key: string; readonly example: string }): void {
  const { key, example } = options;
  readings.errors.push({ file: readings.file, line: undefined, key, message: "not set", hint: `Write ${example}.` });
}

function settleSessionTimeouts({
  values,
  given,
  errors,
}: Readings): Pick<ServerConfig, "minSessionTimeoutMs" | "maxSessionTimeoutMs"> {
  const minSessionTimeoutMs = orElse(values.minSessionTimeoutMs, values.tickTimeMs * 2);
  const maxSessionTimeoutMs = orElse(values.maxSessionTimeoutMs, values.tickTimeMs * 20);
  const culprit = given.get("minSessionTimeout") ?? given.get("maxSessionTimeout") ?? given.get("tickTime");
  if (minSessionTimeoutMs > maxSessionTimeoutMs && culprit !== undefined) {
    const message = `the shortest session timeout, ${minSessionTimeoutMs} ms, is above the longest, ${maxSessionTimeoutMs} ms`;
    const hint = "Lower minSessionTimeout or raise maxSessionTimeout (left out, they are 2 and 20 times tickTime).";
    errors.push({ ...place(culprit), message, hint });
  }
  return { minSessionTimeoutMs, maxSessionTimeoutMs };
}

// This server's line may carry the client port instead of clientPort.
function settleClientAddress(
  membership: Membership,
  readings: Readings,
): Pick<ServerConfig, "clientPort" | "clientPortAddress"> {
  const { values, warnings, patterned } = readings;
  const own = membership.members.length === 1 ? membership.members[0]?.id : readings.id;
  const fromLine = membership.members.find(({ id }) => id === own)?.client;
  if (values.clientPort === undefined && fromLine !== undefined) {
    return { clientPort: fromLine.port, clientPortAddress: values.clientPortAddress ?? fromLine.host };
  }
  if (values.clientPort === undefined) {
    if (!readings.given.has("clientPort")) missing(readings, { key: "clientPort", example: "clientPort=2181" });
    return { clientPort: 0, clientPortAddress: values.clientPortAddress };
  }
  const line = patterned.find(({ name }) => name === "server.N");
  if (fromLine !== undefined && line !== undefined && fromLine.port !== values.clientPort) {
    const message = `its client port ${fromLine.port} is not clientPort, ${values.clientPort}; clientPort counts`;
    warnings.push({ ...place(line.given), message, hint: "Write the same port in both places." });
  }
  return { clientPort: values.clientPort, clientPortAddress: values.clientPortAddress };
}

function settleFourLetterWords({ values, given, warnings }: Readings): Pick<ServerConfig, "fourLetterWords"> {
  const readOnlyMode = given.get("readonlymode.enabled")?.value.toLowerCase() === "true";
  const line = given.get("4lw.commands.whitelist");
  for (const word of values.fourLetterWords) {
    if (line === undefined || word === "*" || fourLetterWords.includes(word)) continue;
    const nearest = nearestName(word, fourLetterWords);
    const hint = nearest === undefined ? `The words are ${fourLetterWords.join(", ")}.` : `Did you mean ${nearest}?`;
    warnings.push({ ...place(line), message: `"${word}" is not a four-letter word`, hint });
  }
  return { fourLetterWords: allowedWords({ whitelist: values.fourLetterWords, readOnlyMode }) };
}

const javaClass = /^(?:[a-z_][A-Za-z0-9_]*\.)+[A-Z][A-Za-z0-9_$]*$/;
const apacheProviders = "org.apache.zookeeper.server.auth.";

function readAuthProviders({ patterned, warnings }: Readings): ServerConfig["authProviders"] {
  const providers: { key: string; module: string }[] = [];
  for (const { name, part, given } of patterned) {
    if (name === "superUser.X" || name === "metricsProvider.X") {
      const feature = name === "superUser.X" ? "SASL and Kerberos" : "metrics providers";
      const message = `belongs to ${feature}, which this version does not have yet; it has no effect`;
      warnings.push({ ...place(given), message, hint: "" });
    }
    if (name !== "authProvider.X") continue;
    const { value } = given;
    if (
      value === `${apacheProviders}DigestAuthenticationProvider` ||
      value === `${apacheProviders}IPAuthenticationProvider`
    ) {
      continue;
    }
    if (value === "" || javaClass.test(value)) {
      const message = `"${value}" is not the name of an npm module; this scheme is not available`;
      const hint = value.startsWith(apacheProviders)
        ? "Apache's own digest and ip schemes are built in; x509 and sasl are not built yet."
        : "Write the name of a module that provides the scheme.";
      warnings.push({ ...place(given), message, hint });
      continue;
    }
    providers.push({ key: part, module: value });
  }
  return providers.sort((left, right) => (left.key < right.key ? -1 : 1));
}

// A server that was told to ask for authentication must not start without asking.
function checkAccess({ values, given, patterned, errors }: Readings): void {
  const sasl = given.get("sessionRequireClientSASLAuth");
  if (sasl?.value.toLowerCase() === "true") {
    const message = "SASL is not built yet, and a server that asks for it cannot start without";
    errors.push({ ...place(sasl), message, hint: "Set it to false, or use enforce.auth.enabled with digest." });
  }
  const enforced = given.get("enforce.auth.enabled");
  if (!values.enforceAuthEnabled || enforced === undefined) return;
  const schemes = given.get("enforce.auth.schemes");
  if (schemes === undefined || values.enforceAuthSchemes.length === 0) {
    const hint = "Write enforce.auth.schemes=digest, for example.";
    errors.push({ ...place(schemes ?? enforced), message: "enforce.auth.schemes names no scheme", hint });
    return;
  }
  // A plug-in brings a scheme of its own, whose name is known only when it is loaded.
  if (patterned.some(({ name }) => name === "authProvider.X")) return;
  const available = values.digestAuthEnabled ? ["digest", "ip"] : ["ip"];
  for (const scheme of values.enforceAuthSchemes) {
    if (available.includes(scheme)) continue;
    const message = `the scheme "${scheme}" is not available`;
    errors.push({ ...place(schemes), message, hint: `Write one of: ${available.join(", ")}.` });
  }
}

function warnOfRisks({ values, given, warnings }: Readings): void {
  const say = (name: string, message: string): void => {
    const value = given.get(name);
    if (value !== undefined) warnings.push({ ...place(value), message, hint: "" });
  };
  if (!values.forceSync)
    say("forceSync", "writes are acknowledged before they are on disk; a power failure can lose them");
  if (values.skipAcl) say("skipACL", "no ACL is checked; everybody who can connect may do everything");
  if (!values.closeSessionTxnEnabled) {
    say("closeSessionTxn.enabled", "has no effect; the transaction that closes a session always lists its ephemerals");
  }
  if (values.snapshotTrustEmpty)
    say("snapshot.trust.empty", "a lost snapshot goes unnoticed; set it back after the upgrade");
}
