// Settings of TLS, SASL and Kerberos: known and checked, named at start when used.
// Facts: reference/zookeeper-features.md 4.4, 4.5; X509Util, QuorumAuth, ZooKeeperSaslServer.

import { flag, integer, port, strictFlag, text, word } from "./kinds.ts";
import type { PendingRow, Setting } from "./setting.ts";
import { later } from "./setting.ts";

const tls = "TLS";
const sasl = "SASL and Kerberos";
const proxies = "the admin server";

interface TlsDefaults {
  readonly hostCheckOfClients: string;
  readonly reverseDns: string;
}

/** The two sets of TLS properties: `ssl.` for clients, `ssl.quorum.` between servers. */
function tlsRows(prefix: "ssl." | "ssl.quorum.", defaults: TlsDefaults): PendingRow[] {
  const whose = prefix === "ssl." ? "clients" : "other servers";
  const stores = ["keyStore", "trustStore"].flatMap((store): PendingRow[] => [
    [`${prefix}${store}.location`, word("file"), undefined, `File of the ${store} for ${whose}.`],
    [`${prefix}${store}.password`, text("password"), undefined, `Password of that ${store}.`],
    [`${prefix}${store}.passwordPath`, word("file"), undefined, `File with that password; comes before the password.`],
    [`${prefix}${store}.type`, word("JKS, PEM, PKCS12 or BCFKS"), undefined, `Format; else by the file's extension.`],
  ]);
  return [
    ...stores,
    [`${prefix}protocol`, word("protocol"), "TLSv1.3", `TLS version towards ${whose}.`],
    [`${prefix}enabledProtocols`, text("list"), undefined, "TLS versions accepted; else the protocol."],
    [`${prefix}ciphersuites`, text("list"), undefined, "Cipher suites accepted."],
    [`${prefix}context.supplier.class`, word("class name"), undefined, "What makes the TLS context instead."],
    [`${prefix}crl`, flag, "false", "Checks revocation lists."],
    [`${prefix}ocsp`, flag, "false", "Checks revocation by OCSP."],
    [`${prefix}clientAuth`, word("none, want or need"), "need", "Whether the connecting side needs a certificate."],
    [`${prefix}handshakeDetectionTimeoutMillis`, integer({ min: 0, unit: "ms" }), "5000", "Wait for the first bytes."],
    [`${prefix}hostnameVerification`, flag, "true", "Checks the host name in certificates."],
    [`${prefix}clientHostnameVerification`, flag, defaults.hostCheckOfClients, "Checks the connecting side's too."],
    [`${prefix}allowReverseDnsLookup`, flag, defaults.reverseDns, "May ask the DNS for the name of an address."],
  ];
}

export const securitySettings: Setting[] = [
  ...later(tls, "zoo.cfg", [
    ["secureClientPort", port, undefined, "The TLS port for clients."],
    ["secureClientPortAddress", word("address"), undefined, "The address of that port."],
    ["sslQuorum", strictFlag, "false", "TLS between servers."],
    ["portUnification", strictFlag, "false", "Servers accept TLS and plain connections."],
    ["sslQuorumReloadCertFiles", strictFlag, "false", "Reads changed certificates again."],
  ]),
  ...later(tls, "property", [
    ["client.portUnification", flag, "false", "The client port accepts TLS and plain connections."],
    ["client.certReload", flag, "false", "Reads changed certificates again."],
    ["ssl.authProvider", word("scheme"), "x509", "The scheme that checks client certificates."],
    ["ssl.sslProvider", word("JDK or OPENSSL"), "JDK", "The TLS library."],
    ...tlsRows("ssl.", { hostCheckOfClients: "false", reverseDns: "false" }),
    ...tlsRows("ssl.quorum.", { hostCheckOfClients: "true", reverseDns: "true" }),
    ["X509AuthenticationProvider.superUser", text("name"), undefined, "Certificate subject to whom no ACL applies."],
    ["fips-mode", flag, "true", "Uses the checks of FIPS mode."],
  ]),
  ...later(sasl, "zoo.cfg", [
    ["quorum.auth.enableSasl", strictFlag, "false", "SASL between servers."],
    ["quorum.auth.serverRequireSasl", strictFlag, "false", "Accepts only servers that authenticate."],
    ["quorum.auth.learnerRequireSasl", strictFlag, "false", "Connects only to servers that authenticate."],
    ["quorum.auth.server.saslLoginContext", word("name"), "QuorumServer", "JAAS section of the accepting side."],
    ["quorum.auth.learner.saslLoginContext", word("name"), "QuorumLearner", "JAAS section of the connecting side."],
    ["quorum.auth.kerberos.servicePrincipal", word("name"), "zkquorum/localhost", "Principal of the servers."],
  ]),
  ...later(sasl, "property", [
    ["sessionRequireClientSASLAuth", flag, "false", "Serves only clients authenticated by SASL."],
    ["allowSaslFailedClients", flag, "false", "Keeps clients whose SASL exchange failed."],
    ["sasl.serverconfig", word("name"), "Server", "JAAS section of the server."],
    ["SASLAuthenticationProvider.superPassword", text("password"), undefined, "Password of the SASL superuser."],
    ["letAnySaslUserDoX", text("id"), undefined, "ACL id that every SASL user matches."],
    ["kerberos.removeHostFromPrincipal", flag, "false", "Drops the host from a principal."],
    ["kerberos.removeRealmFromPrincipal", flag, "false", "Drops the realm from a principal."],
    ["kerberos.canonicalizeHostNames", flag, "false", "Uses canonical host names."],
    ["kerberos.minReLoginTimeMs", integer({ min: 0, unit: "ms" }), "60000", "Pause between two Kerberos logins."],
    ["security.auth_to_local", text("rules"), "DEFAULT", "Maps principals to short names."],
    ["requireKerberosConfig", flag, "false", "Insists on a Kerberos configuration."],
    ["kinit", word("file"), "/usr/bin/kinit", "The kinit program."],
  ]),
  ...later(sasl, "unprefixed", [
    ["java.security.auth.login.config", word("file"), undefined, "The JAAS file."],
    ["sun.security.jgss.native", flag, "false", "Uses the system's GSS library."],
  ]),
  ...later(proxies, "property", [
    ["IPAuthenticationProvider.usexforwardedfor", flag, "false", "Trusts X-Forwarded-For in HTTP requests."],
  ]),
];
