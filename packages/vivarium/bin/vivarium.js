#!/usr/bin/env node
// A checkout that nobody has built yet is built first, so that `npx vivarium` works right after `npm ci`.
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
// Not among what npm publishes.
const isCheckout = existsSync(new URL("../tsconfig.json", import.meta.url));
if (isCheckout && !existsSync(main)) {
  console.error("Building Vivarium ...");
  const { setup } = await import(new URL("../../../scripts/setup.mjs", import.meta.url).href);
  setup();
}
await import(main.href);
