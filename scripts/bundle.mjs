// Puts all that `vivarium server` loads into a few files: a server starts sooner when it does not look for two hundred.
// It takes nothing away: bin/vivarium.js runs what tsc has built where the bundle is missing or older.
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(fileURLToPath(import.meta.url), "..", "..");
const packages = join(root, "packages");
const outdir = join(packages, "vivarium", "bundle");

/** When tsc has last built anything. */
function builtMs() {
  const times = readdirSync(packages).map((name) => {
    const info = statSync(join(packages, name, "dist", ".tsbuildinfo"), { throwIfNoEntry: false });
    return info?.mtimeMs ?? 0;
  });
  return Math.max(...times);
}

export function bundleIsStale() {
  const bundle = statSync(join(outdir, "main.js"), { throwIfNoEntry: false });
  return bundle === undefined || bundle.mtimeMs < builtMs();
}

async function bundle() {
  const { build } = await import("esbuild");
  // Whole or not at all: what is half written would be newer than what tsc has built.
  const unfinished = `${outdir}.${process.pid}`;
  await build({
    entryPoints: [join(packages, "vivarium", "dist", "main.js")],
    outdir: unfinished,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    // Only `vivarium bench` needs them, and they start a thread from a file of their own.
    external: ["@vivarium/client", "@vivarium/load"],
    sourcemap: "linked",
    logLevel: "error",
  });
  rmSync(outdir, { recursive: true, force: true });
  renameSync(unfinished, outdir);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && bundleIsStale()) await bundle();
