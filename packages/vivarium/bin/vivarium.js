#!/usr/bin/env node
// A checkout that nobody has built yet is built first, so that `npx vivarium` works right after `npm ci`.
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
/** The same in a few files, which load faster. */
const bundle = new URL("../bundle/main.js", import.meta.url);
// Not among what npm publishes.
const isCheckout = existsSync(new URL("../tsconfig.json", import.meta.url));
const scripts = new URL("../../../scripts/", import.meta.url);

async function isBundled() {
  if (!isCheckout) return existsSync(bundle);
  const { bundleIsStale } = await import(new URL("bundle.mjs", scripts).href);
  return !bundleIsStale();
}

if (isCheckout && !existsSync(main)) {
  console.error("Building Vivarium ...");
  const { setup } = await import(new URL("setup.mjs", scripts).href);
  setup();
}
await import((await isBundled()) ? bundle.href : main.href);
