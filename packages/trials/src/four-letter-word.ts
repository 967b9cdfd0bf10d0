/** Asks a server a four-letter word. */
import { connect } from "node:net";

const DEADLINE_MS = 5000;

/** Rejects when there is no server, or no answer in time. */
export function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(word));
    let text = "";
    socket.setEncoding("utf8").setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`${word}: no answer`)));
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}
