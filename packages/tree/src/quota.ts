/**
 * Quotas as their two nodes write them: `zookeeper_limits` holds what a subtree may have, `zookeeper_stats` what it
 * has. -1 stands for no limit. Soft limits are only worth a warning; hard ones refuse writes when the server is told
 * to enforce them.
 *
 * The text is "count=4,bytes=5", and with more keys "count=4,bytes=5=;byteHardLimit=10;countHardLimit=10": the odd "="
 * makes readers from before hard limits stop there. @see StatsTrack, Quotas, ZooKeeperServer.checkQuota
 */
import { utf8Length, utf8Read, utf8Write } from "@vivarium/jute";
import { QUOTA_PATH } from "@vivarium/protocol";

export const LIMITS_NODE = "zookeeper_limits";
export const STATS_NODE = "zookeeper_stats";

/** Where the quota of the subtree at `path` is kept. */
export function quotaLimitsPath(path: string): string {
  return `${QUOTA_PATH}${path}/${LIMITS_NODE}`;
}

export function quotaStatsPath(path: string): string {
  return `${QUOTA_PATH}${path}/${STATS_NODE}`;
}

export class StatsTrack {
  readonly #values = new Map<string, number>();

  /** Reads the text leniently: what is not a number counts as -1, because it must not keep anyone from writing. */
  static parse(data: Uint8Array | null): StatsTrack {
    const track = new StatsTrack();
    if (data === null) return track;
    for (const pair of utf8Read(data, 0, data.length).split(/[,;]+/)) {
      const [key = "", value = ""] = pair.split("=");
      if (key !== "") track.#values.set(key, /^-?\d+$/.test(value) ? Number(value) : UNLIMITED);
    }
    return track;
  }

  get count(): number {
    return this.#get("count");
  }
  set count(value: number) {
    this.#values.set("count", value);
  }

  get bytes(): number {
    return this.#get("bytes");
  }
  set bytes(value: number) {
    this.#values.set("bytes", value);
  }

  get countHardLimit(): number {
    return this.#get("countHardLimit");
  }
  set countHardLimit(value: number) {
    this.#values.set("countHardLimit", value);
  }

  get byteHardLimit(): number {
    return this.#get("byteHardLimit");
  }
  set byteHardLimit(value: number) {
    this.#values.set("byteHardLimit", value);
  }

  #get(key: string): number {
    return this.#values.get(key) ?? UNLIMITED;
  }

  toString(): string {
    const more = [...this.#values].filter(([key]) => key !== "count" && key !== "bytes").sort(byKey);
    const text = `count=${this.count},bytes=${this.bytes}`;
    return more.length === 0 ? text : `${text}=${more.map(([key, value]) => `;${key}=${value}`).join("")}`;
  }

  encode(): Uint8Array {
    const text = this.toString();
    const bytes = new Uint8Array(utf8Length(text));
    utf8Write(text, bytes, 0);
    return bytes;
  }
}

const UNLIMITED = -1;

function byKey(a: readonly [string, number], b: readonly [string, number]): number {
  return a[0] < b[0] ? -1 : 1;
}

export interface QuotaChange {
  /** Nodes that the write adds. */
  readonly count: number;
  /** Bytes of data that the write adds. */
  readonly bytes: number;
}

/** Which limit a write passes, "hard" meaning that it must be refused. A hard limit hides the soft one beside it. */
export function quotaExceeded(limits: StatsTrack, stats: StatsTrack, change: QuotaChange): "hard" | "soft" | undefined {
  const byCount = passes(stats.count, change.count, limits.countHardLimit, limits.count);
  const byBytes = passes(stats.bytes, change.bytes, limits.byteHardLimit, limits.bytes);
  return byCount === "hard" ? byCount : (byBytes ?? byCount);
}

function passes(now: number, change: number, hard: number, soft: number): "hard" | "soft" | undefined {
  if (change === 0) return undefined;
  if (hard > UNLIMITED) return now + change > hard ? "hard" : undefined;
  return soft > UNLIMITED && now + change > soft ? "soft" : undefined;
}
