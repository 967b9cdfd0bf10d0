/** What must not compile. The file runs nothing: an expectation that is not met fails the build. */
import { test } from "node:test";
import type { Stat } from "@vivarium/protocol";
import { CreateMode, type CreateResult, json, type ReadResult, text, type ZooKeeper } from "./index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => undefined;

async function results(zk: ZooKeeper): Promise<void> {
  const multi = await zk.multi().create("/a").check("/b").setData("/c", "").delete("/d").commit();
  same<typeof multi, [CreateResult, undefined, Stat, undefined]>(true);
  // @ts-expect-error: there are four results
  multi[4];

  const reads = await zk.multiRead().getChildren("/a").commit();
  same<typeof reads, [ReadResult<string[]>]>(true);
  // @ts-expect-error: the answer may be a refusal
  reads[0].value;

  const plain = await zk.getData("/a");
  same<typeof plain.data, Buffer | null>(true);
  const typed = await zk.getData("/a", { codec: json<{ port: number }>() });
  same<typeof typed.data, { port: number }>(true);
  same<typeof typed.stat, Stat>(true);
  const found = await zk.exists("/a");
  same<typeof found, Stat | null>(true);
}

function refused(zk: ZooKeeper): void {
  // @ts-expect-error: a path is a string
  void zk.getData(5);
  // @ts-expect-error: data without a codec is bytes or text
  void zk.setData("/a", { port: 1 });
  // @ts-expect-error: not what the codec encodes
  void zk.setData("/a", 5, { codec: text });
  // @ts-expect-error: no such option
  void zk.create("/a", null, { ephemral: true });
  // @ts-expect-error: no such mode
  void zk.create("/a", null, { mode: 9 });
  // @ts-expect-error: a version is a number
  void zk.delete("/a", { version: "1" });
  // @ts-expect-error: only for persistent watches
  void zk.getData("/a", { recursive: true });
  // @ts-expect-error: a multi has no reads
  zk.multi().getData("/a");
  void zk.create("/a", null, { mode: CreateMode.EPHEMERAL });
}

test("wrong results, paths and options do not compile", () => {
  void [results, refused];
});
