import assert from "node:assert/strict";
import { test } from "node:test";
import { quotaExceeded, quotaLimitsPath, quotaStatsPath, StatsTrack } from "./quota.ts";

const parse = (text: string) => StatsTrack.parse(new TextEncoder().encode(text));

test("the text of quotas survives reading and writing", () => {
  const cases = [
    ["count=4,bytes=5", "count=4,bytes=5"],
    ["count=4,bytes=5=;byteHardLimit=10;countHardLimit=11", "count=4,bytes=5=;byteHardLimit=10;countHardLimit=11"],
    ["countHardLimit=11;bytes=5", "count=-1,bytes=5=;countHardLimit=11"],
    ["count=4,bytes=5=;future=9", "count=4,bytes=5=;future=9"],
    ["", "count=-1,bytes=-1"],
    ["nonsense,count=x,,bytes=", "count=-1,bytes=-1=;nonsense=-1"],
  ];
  for (const [text, expected] of cases) assert.equal(parse(text as string).toString(), expected);
  assert.equal(StatsTrack.parse(null).toString(), "count=-1,bytes=-1");
  const track = parse("count=1,bytes=2");
  track.count += 4;
  track.byteHardLimit = 7;
  assert.equal(new TextDecoder().decode(track.encode()), "count=5,bytes=2=;byteHardLimit=7");
});

test("paths", () => {
  assert.equal(quotaLimitsPath("/a/b"), "/zookeeper/quota/a/b/zookeeper_limits");
  assert.equal(quotaStatsPath("/a"), "/zookeeper/quota/a/zookeeper_stats");
});

test("limits", () => {
  const cases: [limits: string, stats: string, count: number, bytes: number, expected: string | undefined][] = [
    ["count=-1,bytes=-1", "count=9,bytes=9", 1, 1, undefined],
    ["count=3,bytes=-1", "count=2,bytes=0", 1, 0, undefined],
    ["count=3,bytes=-1", "count=3,bytes=0", 1, 0, "soft"],
    ["count=1,bytes=-1=;countHardLimit=3", "count=2,bytes=0", 1, 0, undefined],
    ["count=1,bytes=-1=;countHardLimit=3", "count=3,bytes=0", 1, 0, "hard"],
    ["count=-1,bytes=-1=;countHardLimit=0", "count=9,bytes=0", 0, 5, undefined],
    ["count=-1,bytes=10", "count=1,bytes=8", 0, 3, "soft"],
    ["count=-1,bytes=10=;byteHardLimit=10", "count=1,bytes=8", 1, 2, undefined],
    ["count=-1,bytes=10=;byteHardLimit=10", "count=1,bytes=8", 1, 3, "hard"],
    ["count=1,bytes=-1=;byteHardLimit=10", "count=1,bytes=8", 1, 3, "hard"],
    ["count=-1,bytes=-1=;countHardLimit=1;byteHardLimit=1", "count=1,bytes=0", 1, 0, "hard"],
    ["count=-1,bytes=-1=;byteHardLimit=10", "count=1,bytes=20", 0, -1, "hard"],
  ];
  for (const [limits, stats, count, bytes, expected] of cases) {
    assert.equal(quotaExceeded(parse(limits), parse(stats), { count, bytes }), expected, `${limits} ${stats}`);
  }
});
