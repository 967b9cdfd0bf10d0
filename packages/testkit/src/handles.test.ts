/** What a process holds after servers have come and gone: counted, not timed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const door = new URL("./index.js", import.meta.url).href;

/** Runs in a process of its own, with nothing of a test runner in it; prints what is left as JSON. */
function leftAfter(body: string): { resources: string[]; handles: number; growthBytes: number } {
  const script = `
    import { TestServer } from ${JSON.stringify(door)};
    const turn = () => new Promise((done) => setImmediate(done));
    const rounds = async (count) => { for (let i = 0; i < count; i++) { ${body} } };
    // Memory outside the heap is given back some turns after it was found to be free.
    const held = async () => {
      for (let i = 0; i < 10; i++) { gc(); await turn(); }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    await rounds(10);
    const before = await held();
    await rounds(100);
    const growthBytes = (await held()) - before;
    const resources = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|Immediate)$/.test(name));
    const stdio = [process.stdin, process.stdout, process.stderr].map(({ fd }) => fd);
    const handles = process._getActiveHandles().filter(({ fd }) => !stdio.includes(fd)).length;
    console.log(JSON.stringify({ resources, handles, growthBytes }));`;
  const args = ["--expose-gc", "--input-type=module", "--eval", script];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 120_000 });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const lives: [name: string, body: string][] = [
  ["started and stopped", "const zk = await TestServer.start(); await zk.stop();"],
  [
    "used by a client and stopped",
    "const zk = await TestServer.start(); const c = await zk.connect(); await c.create('/a', 'x'); await zk.stop();",
  ],
  [
    "killed, with a client",
    "const zk = await TestServer.start(); const c = await zk.connect(); await c.create('/a', 'x'); await zk.kill(); await zk.stop();",
  ],
  [
    "in virtual time",
    "const zk = await TestServer.start({ time: 'virtual' }); await zk.connect(); await zk.advance(60_000); await zk.stop();",
  ],
];
/** What 100 servers may leave in memory: far less than one buffer each. */
const GROWTH_LIMIT_BYTES = 2_000_000;

for (const [name, body] of lives) {
  test(`100 servers ${name} leave no handle open and little memory`, () => {
    const { resources, handles, growthBytes } = leftAfter(body);
    assert.deepEqual(resources, []);
    assert.equal(handles, 0);
    assert.ok(growthBytes < GROWTH_LIMIT_BYTES, `${growthBytes} bytes more after 100 servers`);
  });
}
