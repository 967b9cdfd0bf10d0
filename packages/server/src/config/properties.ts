// Java's Properties file syntax, as java.util.Properties.load reads it, with the line each entry begins on.
//
//   file      = { natural line }
//   natural   = blanks ( "#" | "!" ) anything          comment, never continued
//             | blanks key [ separator ] element       an odd number of backslashes at its end continues it on the next line,
//                                                       whose leading blanks are dropped
//   separator = blanks [ "=" | ":" ] blanks             the first one that no backslash precedes
//   escapes   = \t \n \r \f \uXXXX, and a backslash before anything else is dropped
//
// Blanks are space, tab and form feed; lines end with CR, LF or CRLF. Pure: text in, entries out.

export interface PropertyEntry {
  readonly key: string;
  readonly value: string;
  /** Line its key stands on, from 1. */
  readonly line: number;
}

/** A `\u` that four hexadecimal digits do not follow; Java refuses the whole file. */
export class PropertiesSyntaxError extends Error {
  readonly line: number;

  constructor(line: number) {
    super("a \\u must be followed by four hexadecimal digits");
    this.name = "PropertiesSyntaxError";
    this.line = line;
  }
}

/** Reads entries in file order; a key that occurs twice is listed twice. Keys and values come trimmed, as Apache does. */
export function parseProperties(text: string): PropertyEntry[] {
  const entries: PropertyEntry[] = [];
  for (const { content, line } of logicalLines(text)) {
    const { key, value } = splitEntry(content);
    entries.push({ key: resolveEscapes(key, line).trim(), value: resolveEscapes(value, line).trim(), line });
  }
  return entries;
}

interface LogicalLine {
  readonly content: string;
  readonly line: number;
}

function* logicalLines(text: string): Generator<LogicalLine> {
  const natural = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  for (let index = 0; index < natural.length; index++) {
    const line = index + 1;
    let content = withoutLeadingBlanks(natural[index] ?? "");
    if (content === "" || content.startsWith("#") || content.startsWith("!")) continue;
    while (endsWithContinuation(content)) {
      content = content.slice(0, -1);
      // A backslash alone continues nothing: what follows is a line like any other, and may be a comment.
      if (content === "") break;
      if (index + 1 === natural.length) break;
      index++;
      content += withoutLeadingBlanks(natural[index] ?? "");
    }
    if (content !== "") yield { content, line };
  }
}

function withoutLeadingBlanks(line: string): string {
  return line.replace(/^[ \t\f]+/, "");
}

function endsWithContinuation(line: string): boolean {
  const backslashes = /\\*$/.exec(line)?.[0].length ?? 0;
  return backslashes % 2 === 1;
}

function splitEntry(content: string): { key: string; value: string } {
  const key = /^(?:\\.|[^\\=: \t\f])*/.exec(content)?.[0] ?? "";
  const value = content.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, "");
  return { key, value };
}

function resolveEscapes(raw: string, line: number): string {
  return raw.replace(/\\(u([0-9a-fA-F]{4})|.|$)/g, (_, escaped: string, hex: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    switch (escaped) {
      case "u":
        throw new PropertiesSyntaxError(line);
      case "t":
        return "\t";
      case "n":
        return "\n";
      case "r":
        return "\r";
      case "f":
        return "\f";
      default:
        return escaped;
    }
  });
}
