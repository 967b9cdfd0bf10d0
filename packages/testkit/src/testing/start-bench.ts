/**
 * `node packages/testkit/dist/testing/start-bench.js [count]`: how long importing the testkit takes, and starting and
 * stopping a server, alone and with a client's first write.
 */
const count = Number(process.argv[2] ?? 200);

const beforeImport = performance.now();
const { TestServer } = await import("../index.ts");
const importMs = performance.now() - beforeImport;

const times: Record<string, number[]> = { start: [], "first write": [], stop: [] };

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const outcome = await act();
  times[what]?.push(performance.now() - startMs);
  return outcome;
}

for (let i = 0; i < count; i++) {
  const server = await timed("start", () => TestServer.start());
  await timed("first write", async () => (await server.connect()).create("/a", "x"));
  await timed("stop", () => server.stop());
}

const at = (sorted: number[], part: number): string =>
  `${(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(2)} ms`;
console.log(`import ${importMs.toFixed(0)} ms; ${count} servers, one after the other:`);
for (const [what, list] of Object.entries(times)) {
  const [first] = list;
  const sorted = list.toSorted((a, b) => a - b);
  console.log(
    `${what.padEnd(12)} first ${first?.toFixed(2)} ms, median ${at(sorted, 0.5)}, 99% ${at(sorted, 0.99)}, longest ${at(sorted, 1)}`,
  );
}
