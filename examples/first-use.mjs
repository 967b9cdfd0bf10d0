// A first use: a setting that is read, watched and changed. Start a server with `npm start`, then
//
//   node examples/first-use.mjs
import { connect, text } from "@vivarium/client";

const zk = await connect(process.argv[2] ?? "127.0.0.1:2181");

await zk.ensurePath("/app");
await zk.deleteSubtree("/app/greeting");
await zk.create("/app/greeting", "hello", { codec: text });

const watch = await zk.addWatch("/app/greeting");
const { data, stat } = await zk.getData("/app/greeting", { codec: text });
console.log(`it says "${data}", version ${stat.version}`);

await zk.setData("/app/greeting", "good evening", { codec: text, version: stat.version });
for await (const event of watch) {
  console.log(event.type, event.path);
  break;
}
await zk.close();
