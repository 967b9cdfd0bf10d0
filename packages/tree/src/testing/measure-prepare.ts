/** `node packages/tree/dist/testing/measure-prepare.js` prints what preparing, applying and reading cost. */
import { Reader, Writer } from "@vivarium/jute";
import { OpCode } from "@vivarium/protocol";
import { AuthRegistry } from "../auth/auth-registry.ts";
import { Reads } from "../reads.ts";
import { encodeRequest, here, Workbench } from "./workbench.ts";

const ROUNDS = 200_000;
/** CPU time, because other programs may be running. */
const nowMs = () => process.cpuUsage().user / 1000;
/** Transactions outstanding at a time, as under load. */
const DEPTH = 64;

function measure(name: string, digest: boolean, request: (i: number) => [type: number, bytes: Uint8Array]): void {
  const bench = new Workbench({ digest });
  for (let i = 0; i < 1000; i++) bench.do(OpCode.create, { path: `/n${i}`, data: "x".repeat(100) });
  // In one piece of memory, as they lie in a connection's buffer.
  const frames = new Writer(1 << 20);
  const types: number[] = [];
  const starts = [0];
  for (let i = 0; i < ROUNDS; i++) {
    const [type, bytes] = request(i);
    types.push(type);
    frames.raw(bytes);
    starts.push(frames.length);
  }
  const reader = new Reader(frames.bytes);
  let prepareMs = 0;
  let applyMs = 0;
  for (let round = 0; round < 2; round++) {
    prepareMs = 0;
    applyMs = 0;
    const half = ROUNDS / 2;
    for (let i = round * half; i < (round + 1) * half; i += DEPTH) {
      const from = nowMs();
      for (let j = i; j < Math.min(i + DEPTH, (round + 1) * half); j++) {
        reader.reset(frames.bytes, starts[j] as number, starts[j + 1] as number);
        if (bench.decideFrom(reader, types[j] as number).err !== 0) throw new Error(`${name} was refused`);
      }
      const between = nowMs();
      bench.apply();
      prepareMs += between - from;
      applyMs += nowMs() - between;
    }
  }
  const perOp = (ms: number) => `${((ms * 1000) / (ROUNDS / 2)).toFixed(2)} µs`;
  console.log(`${name}, digest ${digest}: prepare ${perOp(prepareMs)}, apply ${perOp(applyMs)}`);
}

for (const digest of [true, false]) {
  measure("setData 100 B", digest, (i) => [
    OpCode.setData,
    encodeRequest(OpCode.setData, { path: `/n${i % 1000}`, data: "y".repeat(100) }),
  ]);
  measure("create 100 B", digest, (i) => [
    OpCode.create,
    encodeRequest(OpCode.create, { path: `/n1/child${i}`, data: "y".repeat(100) }),
  ]);
  measure("create and delete", digest, (i) =>
    i % 2 === 0
      ? [OpCode.create, encodeRequest(OpCode.create, { path: `/n1/child${i}` })]
      : [OpCode.delete, encodeRequest(OpCode.delete, { path: `/n1/child${i - 1}` })],
  );
}

const bench = new Workbench();
for (let i = 0; i < 1000; i++) bench.do(OpCode.create, { path: `/n${i}`, data: "x".repeat(100) });
const reads = new Reads({ tree: bench.tree, auth: new AuthRegistry([]) });
const caller = { sessionId: 1n, authInfo: [here], watcher: { id: 1, process: () => undefined } };
const gets = Array.from({ length: 1000 }, (_, i) => {
  const writer = new Writer();
  writer.ustring(`/n${i}`);
  writer.bool(false);
  return writer.copy();
});
const reader = new Reader(new Uint8Array(0));
const writer = new Writer(65536);
for (const type of [OpCode.getData, OpCode.exists]) {
  for (let round = 0; round < 2; round++) {
    const from = nowMs();
    for (let i = 0; i < 1_000_000; i++) {
      const bytes = gets[i % 1000] as Uint8Array;
      reader.reset(bytes, 0, bytes.length);
      writer.reset();
      reads.answer(type, caller, reader, writer);
    }
    if (round === 1) console.log(`read ${type}: ${((nowMs() - from) / 1000).toFixed(3)} µs`);
  }
}
