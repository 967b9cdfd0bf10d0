// `node examples/<name>.mjs [host:port]`: an example is a function, and a program when it is started as one.
import { pathToFileURL } from "node:url";

/**
 * @param {string} url the example's import.meta.url
 * @param {(servers: string) => Promise<unknown>} example
 */
export async function runIfMain(url, example) {
  const program = process.argv[1];
  if (program === undefined || pathToFileURL(program).href !== url) return;
  await example(process.argv[2] ?? "127.0.0.1:2181");
}
