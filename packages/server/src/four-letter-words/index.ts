/**
 * Four-letter words: what people and monitoring tools ask on the client port before any ConnectRequest. The first four
 * bytes, read as a frame's length, are the word. The answer is text, then the connection closes.
 *
 * Formats are Apache ZooKeeper's to the letter, because tools parse them. Source: client protocol facts, section 14.
 */
import type { Clock } from "@vivarium/runtime";
import type { ClientConnection } from "../client-connection.ts";
import { dump } from "./dump.ts";
import { environment } from "./environment.ts";
import { monitor } from "./monitor.ts";
import { configuration, connections, serverStatus } from "./status.ts";
import { watchesByPath, watchesBySession, watchSummary } from "./watches.ts";
import type { WordContext } from "./word-context.ts";

export type { WordContext } from "./word-context.ts";

const NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";
/** What telnet sends when its user interrupts it: closed without an answer or a log line. */
const TELNET_CLOSE = 0xfff4fffd | 0;
const DEFAULT_TRACE_MASK = 0x132;
/** How much of a long answer one turn of the event loop may collect: about a millisecond's work. */
const TURN_CHARACTERS = 64 << 10;
/** How long to wait for a client that does not take what it asked for. */
const SLOW_READER_MS = 10;

/** At once, later, or in pieces because it may be long. */
type Answer = string | Promise<string> | Generator<string, void, void>;

interface Word {
  answer(context: WordContext): Answer;
  /** Answered also while the server is not in service. */
  always?: boolean;
}

const words: Record<string, Word> = {
  conf: { answer: configuration },
  cons: { answer: connections },
  crst: { answer: resetConnections },
  dirs: { answer: directories },
  dump: { answer: dump },
  envi: { answer: environment, always: true },
  gtmk: { answer: () => String(traceMask), always: true },
  hash: { answer: digests },
  isro: { answer: ({ server }) => (server === null ? "null" : "rw"), always: true },
  mntr: { answer: monitor },
  ruok: { answer: () => "imok", always: true },
  srst: { answer: resetServer },
  srvr: { answer: (context) => serverStatus(context, { withClients: false }) },
  stat: { answer: (context) => serverStatus(context, { withClients: true }) },
  stmk: { answer: () => String(traceMask), always: true },
  wchc: { answer: watchesBySession },
  wchp: { answer: watchesByPath },
  wchs: { answer: watchSummary },
};

/** Kept so that stmk and gtmk agree; nothing here is traced by it. */
let traceMask: bigint | number = DEFAULT_TRACE_MASK;

const byNumber = new Map<number, string>();
for (const name of Object.keys(words)) byNumber.set(wordNumber(name), name);

function wordNumber(name: string): number {
  return [...name].reduce((number, letter) => (number << 8) | letter.charCodeAt(0), 0);
}

/**
 * Answers the word whose letters are `number`, and closes the connection.
 * @returns false when it is no word, and so the length of a ConnectRequest
 */
export function answerFourLetterWord(context: WordContext, connection: ClientConnection, number: number): boolean {
  if (number === TELNET_CLOSE) {
    connection.close("telnet");
    return true;
  }
  const name = byNumber.get(number);
  if (name === undefined) return false;
  const isAllowed = context.allowed.has(name);
  if (name === "stmk" && isAllowed && !takeTraceMask(connection)) return true;
  connection.state = "answering";
  connection.countReceived();
  const text = isAllowed ? answer(context, name) : `${name} is not executed because it is not in the whitelist.\n`;
  if (typeof text === "string") finish(connection, name, text);
  else if (text instanceof Promise) {
    text.then(
      (later) => finish(connection, name, later),
      (error) => connection.close(String(error)),
    );
  } else if (context.server !== null) tell(connection, name, text, context.server.clock);
  return true;
}

/** One turn's worth of a long answer; the next turns give the rest, as fast as the client takes it. */
function tell(connection: ClientConnection, name: string, pieces: Generator<string, void, void>, clock: Clock): void {
  let text = "";
  while (text.length < TURN_CHARACTERS) {
    const piece = pieces.next();
    if (piece.done) return finish(connection, name, text);
    text += piece.value;
  }
  connection.append(Buffer.from(text, "utf8"));
  connection.flush();
  const goOn = () => {
    if (connection.state !== "answering") return;
    if (connection.outputIsHigh) clock.setTimer(SLOW_READER_MS, goOn);
    else tell(connection, name, pieces, clock);
  };
  clock.defer(goOn);
}

function finish(connection: ClientConnection, name: string, text: string): void {
  connection.send(Buffer.from(text, "utf8"));
  connection.close(`four-letter word ${name}`);
}

function answer(context: WordContext, name: string): Answer {
  const word = words[name] as Word;
  if (context.server === null && !word.always) return NOT_SERVING;
  return word.answer(context);
}

/** stmk carries eight more bytes. False until they are there. */
function takeTraceMask(connection: ClientConnection): boolean {
  const bytes = connection.frames.pending >= 12 ? connection.frames.take(12) : undefined;
  if (bytes === undefined) return false;
  traceMask = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(4);
  return true;
}

async function directories({ directorySizes }: WordContext): Promise<string> {
  const { dataDirBytes, dataLogDirBytes } = await directorySizes();
  return `datadir_size: ${dataDirBytes}\nlogdir_size: ${dataLogDirBytes}\n`;
}

function resetConnections({ server }: WordContext): string {
  for (const connection of server?.listener.connections() ?? []) connection.resetStats();
  return "Connection stats reset.\n";
}

function resetServer({ server }: WordContext): string {
  server?.stats.reset();
  return "Server stats reset.\n";
}

function digests({ server }: WordContext): string {
  let text = "";
  for (const { zxid, treeDigest } of server?.tree.digests.history ?? [])
    text += `${zxid.toString(16)}: ${treeDigest}\n`;
  return text;
}
