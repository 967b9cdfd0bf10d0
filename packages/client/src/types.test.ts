/** What must not compile. The file runs nothing: an expectation that is not met fails the build. */
import { test } from "node:test";
import type { Stat } from "@vivarium/protocol";
import {
  CreateMode,
  type CreateResult,
  type GetDataResult,
  gzip,
  json,
  type ReadResult,
  type StandardSchema,
  schema,
  text,
  type WatchEvent,
  ZooKeeper,
} from "./index.ts";

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

async function more(zk: ZooKeeper): Promise<void> {
  const conditional = zk.multi().check("/a").create("/b", "", { mode: CreateMode.EPHEMERAL });
  same<Awaited<ReturnType<typeof conditional.commit>>, [undefined, CreateResult]>(true);
  same<Awaited<ReturnType<ReturnType<ZooKeeper["multi"]>["commit"]>>, []>(true);
  const mixed = await zk.multiRead().getData("/a").getChildren("/b").commit();
  same<typeof mixed, [ReadResult<GetDataResult>, ReadResult<string[]>]>(true);
  const [decoded] = await zk.multiRead().getData("/a", { codec: json<{ port: number }>() }).commit();
  if (decoded.status === "fulfilled") same<typeof decoded.value, { data: { port: number }; stat: Stat }>(true);
  zk.multi().create("/a", 5, { codec: json<number>() }).setData("/a", 6, { codec: json<number>() });
  // @ts-expect-error: not what the codec takes
  zk.multi().create("/a", "5", { codec: json<number>() });
  // @ts-expect-error: a number needs a codec
  zk.multi().setData("/a", 5);
  const [stat] = await zk.multi().setData("/a", "").commit();
  // @ts-expect-error: a Stat has no such field
  stat.path;
  const validated = await zk.getData("/a", { codec: schema(port) });
  same<typeof validated.data, { port: number }>(true);
  const packed = await zk.getData("/a", { codec: gzip(text) });
  same<typeof packed.data, string>(true);
  const watch = await zk.addWatch("/a", { recursive: true });
  for await (const event of watch) {
    same<typeof event, WatchEvent>(true);
    // @ts-expect-error: not an event of ZooKeeper
    event.type === "moved";
    // @ts-expect-error: only a gap has a reason
    event.reason;
    if (event.type === "gap") same<typeof event.reason, "reconnected" | "newSession" | "overflow">(true);
  }
  for await (const event of zk.sessionEvents()) {
    // @ts-expect-error: only of some events
    event.remainingMs;
    if (event.type === "suspended") same<typeof event.remainingMs, number>(true);
  }
}

declare const port: StandardSchema<unknown, { port: number }>;

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
  // @ts-expect-error: the schema's values have a port
  void zk.create("/a", { prt: 1 }, { codec: schema(port) });
  // @ts-expect-error: no such option of a watch
  void zk.addWatch("/a", { mode: "recursive" });
  // @ts-expect-error: a listener takes the event
  void zk.addWatch("/a", { listener: (event: string) => event });
  // @ts-expect-error: an ACL entry has permissions and an identity
  void zk.create("/a", null, { acl: [{ perms: "r" }] });
  // @ts-expect-error: no such type of watch
  void zk.removeWatches("/a", "all");
  // @ts-expect-error: a deadline is a number
  void zk.exists("/a", { timeoutMs: "1s" });
  // @ts-expect-error: a signal, not its controller
  void zk.exists("/a", { signal: new AbortController() });
  // @ts-expect-error: a codec decodes too
  void zk.getData("/a", { codec: { encode: (value: string) => value } });
  // @ts-expect-error: servers are one text
  new ZooKeeper(["a:2181", "b:2181"]);
  // @ts-expect-error: no such option of a client
  new ZooKeeper("a:2181", { sessionTimeout: 5 });
  // @ts-expect-error: a session id is a bigint
  new ZooKeeper("a:2181", { session: { id: 5, password: new Uint8Array(16) } });
  // @ts-expect-error: a multiRead has no writes
  zk.multiRead().delete("/a");
  // @ts-expect-error: a multi has no reads
  zk.multi().getData("/a");
  void zk.create("/a", null, { mode: CreateMode.EPHEMERAL });
}

test("wrong results, paths and options do not compile", () => {
  void [results, more, refused];
});
