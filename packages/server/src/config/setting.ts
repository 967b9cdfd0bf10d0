// One row of the table of settings, and the three small functions that make rows.
//
// Invariant: a row's default is written as an operator would write it and is read by the row's own kind, so the page that
// documents it and the value the server gets cannot disagree.

import type { Kind } from "./kinds.ts";

/**
 * Where Apache ZooKeeper reads a setting.
 * - `zoo.cfg`: a key of the file only.
 * - `both`: a key of the file, and `-Dzookeeper.<name>`.
 * - `property`: `-Dzookeeper.<name>`; in the file as `<name>`.
 * - `unprefixed`: `-D<name>` only; Apache ignores it in the file, Vivarium honours it there.
 * - `environment`: a variable of Apache's start scripts.
 */
export type Form = "zoo.cfg" | "both" | "property" | "unprefixed" | "environment";

/** `built`: works. `later`: its feature is not built yet. `unneeded`: accepted, and there is nothing here it could change. */
export type Status = "built" | "later" | "unneeded";

export interface Setting<T = unknown> {
  readonly name: string;
  readonly form: Form;
  readonly kind: Kind<T>;
  /** As written in the file; undefined when the setting has no default. */
  readonly default: string | undefined;
  readonly doc: string;
  readonly status: Status;
  /** For `later`: what it waits for; reads after "belongs to". */
  readonly feature?: string;
  /** For `later`: the value that asks for nothing new and so needs no warning; the default if left out. */
  readonly off?: string;
  /** Other spellings that Apache reads too. */
  readonly also?: readonly string[];
}

interface Row<T> {
  readonly form: Form;
  readonly kind: Kind<T>;
  readonly doc: string;
  readonly also?: readonly string[];
}

/** A working setting with a default. */
export function built<T>(name: string, row: Row<T> & { readonly default: string }): Setting<T> {
  return { name, status: "built", ...row };
}

/** A working setting that may be left out. */
export function optional<T>(name: string, row: Row<T>): Setting<T | undefined> {
  return { name, status: "built", default: undefined, ...row };
}

/** Short forms for the long lists of rows that are not built: `[name, kind, default, doc, extras]`. */
export type PendingRow = readonly [
  name: string,
  kind: Kind<unknown>,
  defaultText: string | undefined,
  doc: string,
  extras?: { readonly form?: Form; readonly off?: string; readonly also?: readonly string[] },
];

export function later(feature: string, form: Form, rows: readonly PendingRow[]): Setting[] {
  return rows.map(([name, kind, defaultText, doc, extras]) => {
    return { name, form, kind, default: defaultText, doc, status: "later", feature, ...extras };
  });
}

export function unneeded(form: Form, rows: readonly PendingRow[]): Setting[] {
  return rows.map(([name, kind, defaultText, doc, extras]) => {
    return { name, form, kind, default: defaultText, doc, status: "unneeded", ...extras };
  });
}

/** The typed values of a group of settings, by field. */
export type ValuesOf<Group> = {
  readonly [Field in keyof Group]: Group[Field] extends Setting<infer T> ? T : never;
};
