/** Everything a client can be told, its defaults, and what is refused. */
import type { ACL } from "@vivarium/protocol";
import { type Clock, type Network, NodeClock, NodeNetwork, NodeRandom, type Random } from "@vivarium/runtime";
import { identityProblem } from "./arguments.ts";
import type { BackoffOptions } from "./backoff.ts";
import { ClientOptionError } from "./errors.ts";
import { NodeTlsNetwork, type TlsOptions } from "./node-tls-network.ts";
import type { SrvResolver } from "./server-list.ts";
import type { SessionEvent, SessionInfo } from "./session-event.ts";

/** Where a client logs to. Any common logger fits. */
export interface ClientLogger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

export interface ClientOptions {
  /** Asked of the server, which may grant another. Milliseconds, default 30 000. */
  sessionTimeoutMs?: number;
  /** How long `connect` waits for the first session. Milliseconds, default the session timeout. */
  connectTimeoutMs?: number;
  /** Patience with one server until it grants a session. Milliseconds; default a third of the session timeout, 1 000 to 10 000. */
  hostTimeoutMs?: number;
  /** Deadline of every call that has no `timeoutMs` of its own. Milliseconds, default 60 000; Infinity for none. */
  requestTimeoutMs?: number;
  /** Put before every path, after the chroot of the connect string. */
  chroot?: string;
  /** True: a server without a quorum will do, for reads; a better one is looked for. Default false. */
  readOnly?: boolean;
  /** True: an expired session is followed by a new one, with all watches. Default false: the client is then finished. */
  renewSession?: boolean;
  /** Resumes a session, of another process for instance. */
  session?: SessionInfo;
  /** Identities to prove on every connection, as `addAuth` would. */
  auth?: readonly { scheme: string; auth: string | Uint8Array }[];
  /** ACL of creates that name none. Default: everyone may do everything. */
  defaultAcl?: ACL[];
  /** Requests sent without an answer; more wait. Default 1 000, the server's globalOutstandingLimit. */
  maxInFlight?: number;
  /** Calls that wait; more are refused with QueueFullError. Default 100 000. */
  maxQueuedRequests?: number;
  /** Larger requests are refused. Bytes, default 1 048 575, the server's jute.maxbuffer. */
  maxRequestBytes?: number;
  /** Larger answers fail their call. Bytes, default 67 108 864. */
  maxReplyBytes?: number;
  /** How often a read is sent again when its connection breaks. Default 3. */
  readRetries?: number;
  /** Events kept for a slow consumer of a watch. Default 10 000. */
  maxQueuedEvents?: number;
  backoff?: BackoffOptions;
  /** Connects by TLS, to the servers' secureClientPort; with a certificate and key for mutual TLS. */
  tls?: TlsOptions;
  /** True: servers that /zookeeper/config lists are used as well as those given here. Default false. */
  trackConfig?: boolean;
  /** Sees every session event from the first on. */
  onSessionEvent?: (event: SessionEvent) => void;
  logger?: ClientLogger;
  /**
   * True: a process that was stopped hears of a session that may be gone before any of its timers, immediates and promise
   * continuations go on. Costs each callback of the process about a tenth of a microsecond. False: only before the
   * client's own answers and calls. Default true, with a clock of one's own false.
   */
  stallGuard?: boolean;
  /** For tests and other transports. */
  clock?: Clock;
  network?: Pick<Network, "connect">;
  random?: Random;
  /** Looks up what dns-srv:// names; default node:dns. */
  resolveSrv?: SrvResolver;
}

type WithoutDefault = "session" | "backoff" | "onSessionEvent" | "logger" | "defaultAcl" | "tls" | "resolveSrv";

/** The options with their defaults. */
export type Settings = Required<Omit<ClientOptions, WithoutDefault>> & {
  [Name in WithoutDefault]: ClientOptions[Name] | undefined;
};

const DEFAULT_SESSION_TIMEOUT_MS = 30_000;

/** @throws ClientOptionError */
export function settingsOf(options: ClientOptions): Settings {
  const sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
  const settings: Settings = {
    sessionTimeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? sessionTimeoutMs,
    hostTimeoutMs: options.hostTimeoutMs ?? Math.min(10_000, Math.max(1000, sessionTimeoutMs / 3)),
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    chroot: options.chroot ?? "/",
    readOnly: options.readOnly ?? false,
    renewSession: options.renewSession ?? false,
    session: options.session,
    auth: options.auth ?? [],
    defaultAcl: options.defaultAcl,
    maxInFlight: options.maxInFlight ?? 1000,
    maxQueuedRequests: options.maxQueuedRequests ?? 100_000,
    maxRequestBytes: options.maxRequestBytes ?? 0xfffff,
    maxReplyBytes: options.maxReplyBytes ?? 64 * 1024 * 1024,
    readRetries: options.readRetries ?? 3,
    maxQueuedEvents: options.maxQueuedEvents ?? 10_000,
    backoff: options.backoff,
    tls: options.tls,
    trackConfig: options.trackConfig ?? false,
    resolveSrv: options.resolveSrv,
    onSessionEvent: options.onSessionEvent,
    logger: options.logger,
    stallGuard: options.stallGuard ?? options.clock === undefined,
    clock: options.clock ?? new NodeClock(),
    network: options.network ?? (options.tls === undefined ? new NodeNetwork() : new NodeTlsNetwork(options.tls)),
    random: options.random ?? new NodeRandom(),
  };
  const positive = [
    "sessionTimeoutMs",
    "connectTimeoutMs",
    "hostTimeoutMs",
    "requestTimeoutMs",
    "maxInFlight",
    "maxQueuedRequests",
    "maxRequestBytes",
    "maxReplyBytes",
    "maxQueuedEvents",
  ] as const;
  for (const name of positive) {
    if (!(settings[name] > 0)) throw new ClientOptionError(`${name} is ${settings[name]}; it must be more than 0`);
  }
  for (const identity of settings.auth) {
    const problem = identityProblem(identity);
    if (problem !== undefined) throw new ClientOptionError(`auth: ${problem}`);
  }
  if (settings.sessionTimeoutMs > 0x7fffffff) throw new ClientOptionError("sessionTimeoutMs must fit 32 bits");
  return settings;
}
