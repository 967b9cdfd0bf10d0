// A tree of a given size, made quickly: folders of a thousand children, a hundred bytes each.

import { RawClient } from "../lib/raw-client.mjs";

const CHILDREN = 1000;
const WINDOW = 2000;

export async function fillTree(port, znodes) {
  const client = await RawClient.connect({ port, timeOut: 30_000 });
  const paths = ["/tree"];
  for (let folder = 0; paths.length < znodes; folder++) {
    paths.push(`/tree/d${folder}`);
    for (let i = 0; i < CHILDREN && paths.length < znodes; i++) paths.push(`/tree/d${folder}/n${i}`);
  }
  for (let at = 0; at < paths.length; at += WINDOW) {
    const some = paths.slice(at, at + WINDOW);
    await Promise.all(some.map((path) => client.ask("create", { path, data: "x".repeat(100) })));
  }
  await client.close();
}
