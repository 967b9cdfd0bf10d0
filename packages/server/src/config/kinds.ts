// The kinds of value a setting can hold: how its text is read, and what to tell an operator who wrote something else.
//
// Flow: properties.ts finds `name=text`; the table (settings.ts) names the kind; the kind makes a typed value of the text.
// Apache reads many values with lenient helpers that fall back to the default in silence. Here a bad number is an error;
// only booleans stay lenient where Apache is, because files in the field rely on it, and then the reader gets a note.

/** A value, perhaps with a sentence the operator should see, or what to write instead. */
export type Parsed<T> = { readonly value: T; readonly note?: string } | { readonly problem: string };

export interface Kind<T> {
  /** How the reference page names it, for example `integer, ms`. */
  readonly label: string;
  parse(text: string): Parsed<T>;
}

export const javaIntMax = 2_147_483_647;

export interface IntegerOptions {
  readonly min?: number;
  readonly max?: number;
  /** As written in the file: `ms`, `KiB`, `ticks`. */
  readonly unit?: string;
  /** The value is multiplied by this: 1024 turns KiB into bytes. Only positive values are; 0 and -1 mean "off". */
  readonly scale?: number;
  /** Smaller values are raised to this with a note, as Apache does for a few settings. */
  readonly atLeast?: number;
}

/** A whole number, decimal or `0x` hexadecimal (Apache's Integer.getInteger takes both). */
export function integer(options: IntegerOptions = {}): Kind<number> {
  const { min = -javaIntMax - 1, max = javaIntMax, unit, scale = 1, atLeast } = options;
  const unitText = unit === undefined ? "" : `, in ${unit}`;
  const wanted = `a whole number from ${atLeast ?? min} to ${max}${unitText}`;
  return {
    label: unit === undefined ? "integer" : `integer, ${unit}`,
    parse(text) {
      const value = readInteger(text);
      if (value === undefined || value < min || value > max) return { problem: wanted };
      if (atLeast !== undefined && value < atLeast) {
        return { value: atLeast * scale, note: `too small; ${atLeast} is used, as in Apache ZooKeeper` };
      }
      return { value: value > 0 ? value * scale : value };
    },
  };
}

// A leading zero means octal to one half of Apache's readers and nothing to the other half: refuse to guess.
function readInteger(text: string): number | undefined {
  const match = /^([+-]?)(0|[1-9][0-9]*|0[xX][0-9a-fA-F]+)$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[2]);
  if (!Number.isSafeInteger(value)) return undefined;
  return match[1] === "-" ? 0 - value : value;
}

/** A zxid as Apache writes it into files and their names: hexadecimal, without 0x. */
export const hexadecimalZxid: Kind<number> = {
  label: "hexadecimal",
  parse(text) {
    const value = /^[0-9a-fA-F]{1,16}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
    return Number.isSafeInteger(value) ? { value } : { problem: "a zxid in hexadecimal, for example 100000003" };
  },
};

/** A TCP port; 0 lets the system choose one. */
export const port: Kind<number> = { ...integer({ min: 0, max: 65_535 }), label: "port" };

export function decimal(options: { readonly min?: number; readonly max?: number } = {}): Kind<number> {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = options;
  const range = min === Number.NEGATIVE_INFINITY ? "" : ` from ${min}${Number.isFinite(max) ? ` to ${max}` : " up"}`;
  return {
    label: "decimal",
    parse(text) {
      const value = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? { value } : { problem: `a decimal number${range}, for example 0.33` };
    },
  };
}

/** zoo.cfg's own booleans: anything but `true` or `false` stops Apache, and us. */
export const strictFlag: Kind<boolean> = {
  label: "true or false",
  parse(text) {
    const word = text.toLowerCase();
    return word === "true" || word === "false" ? { value: word === "true" } : { problem: "true or false" };
  },
};

/** Booleans of `zookeeper.` properties: everything but `true` reads as false, in Apache and here. */
export const flag: Kind<boolean> = {
  label: "true or false",
  parse(text) {
    const word = text.toLowerCase();
    if (word === "true" || word === "false") return { value: word === "true" };
    return { value: false, note: "reads as false, as in Apache ZooKeeper; write true or false" };
  },
};

/** Two settings answer to `yes` and `no`: only the word that differs from the default counts. */
export function yesNo(options: { readonly unlessSaid: boolean }): Kind<boolean> {
  const { unlessSaid } = options;
  return {
    label: "yes or no",
    parse(text) {
      if (text === "yes" || text === "no") return { value: text === "yes" };
      const read = unlessSaid ? "yes" : "no";
      return { value: unlessSaid, note: `reads as ${read}, as in Apache ZooKeeper; write yes or no` };
    },
  };
}

export function text(label = "text"): Kind<string> {
  return { label, parse: (value) => ({ value }) };
}

/** Text that must not be empty: a path, a host name. */
export function word(label: string): Kind<string> {
  return { label, parse: (value) => (value === "" ? { problem: `a ${label}` } : { value }) };
}

/** One of a few words, compared without regard to case; the map gives the value each stands for. */
export function choice<T>(options: Readonly<Record<string, T>>): Kind<T> {
  const words = Object.keys(options).map((name) => (name === "" ? "(empty)" : name));
  const values = new Map(Object.entries(options).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    label: words.join(", "),
    parse(name) {
      const value = values.get(name.toLowerCase());
      return value === undefined ? { problem: `one of: ${words.join(", ")}` } : { value };
    },
  };
}

/** Words separated by commas; blanks around them and empty words are dropped. */
export const list: Kind<readonly string[]> = {
  label: "list",
  parse(value) {
    const words = value.split(",").map((one) => one.trim());
    return { value: words.filter((one) => one !== "") };
  },
};
