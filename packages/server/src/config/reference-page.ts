// The table of settings as pages: docs/configuration.md, and what `vivarium server --help-settings` prints.

import type { Setting } from "./setting.ts";
import { builtByArea, laterSettings, settingPatterns, unneededSettings } from "./settings.ts";

/** docs/configuration.md. */
export function configurationPage(): string {
  return `${[
    introduction,
    ...Object.entries(builtByArea).map(([area, group]) => section(`## ${area}`, Object.values<Setting>(group))),
    patternSection(),
    "## Not built yet\n\nThese are read and checked. A setting that asks for one of these features is named at start, and has no effect.",
    ...byFeature().map(([feature, settings]) => section(`### ${capital(feature)}`, settings)),
    section(
      "## Accepted without effect\n\nThere is nothing in Vivarium that these could change. A file that has them works.",
      unneededSettings.filter(({ form }) => form !== "environment"),
    ),
    section(
      "## Environment variables of Apache's scripts\n\nVivarium reads none of them; what to use instead:",
      unneededSettings.filter(({ form }) => form === "environment"),
    ),
  ].join("\n\n")}\n`;
}

/** The working settings, for a terminal. */
export function settingsHelp(): string {
  const lines = ["Settings of zoo.cfg, and of --set name=value. The whole list: docs/configuration.md"];
  for (const [area, group] of Object.entries(builtByArea)) {
    lines.push("", `${area}:`);
    for (const setting of Object.values<Setting>(group)) {
      lines.push(`  ${setting.name}  (${setting.kind.label}; ${defaultText(setting)})`, `      ${setting.doc}`);
    }
  }
  lines.push("", "Families of keys:");
  for (const { name, doc } of settingPatterns) lines.push(`  ${name}`, `      ${doc.replaceAll("`", "")}`);
  const features = byFeature().map(([feature]) => feature);
  lines.push("", `Read and checked, but not built yet: the settings of ${features.join(", ")}.`);
  return lines.join("\n");
}

const introduction = `<!-- Generated from packages/server/src/config by \`npm run build && node scripts/configuration-page.mjs\`. Edit the tables there. -->

# Configuration

\`vivarium server zoo.cfg\` reads a configuration file of Apache ZooKeeper as it is. Without a file the server listens on
127.0.0.1:2181 and keeps its data in \`./data\`.

What counts, in this order: \`--set name=value\` (and \`--port\`, \`--host\`, \`--data-dir\`), then the file, then the default.

The file has Java's Properties syntax: \`name=value\`, \`#\` and \`!\` begin comments, a backslash at the end of a line continues
it, \`\\uXXXX\` is a character. If a name stands twice, the last one counts and the server says so.

All problems are reported together. A value that cannot be read stops the server (exit code 2) with the file, the line, the
name and what to write. A name nobody knows is a warning, with the nearest name there is.

## What differs from Apache ZooKeeper

- Apache turns a name it does not know into the property \`zookeeper.<name>\` and says nothing, so a misspelt one is lost.
- In the file, Apache ignores the settings marked *unprefixed* below (\`jute.maxbuffer\`, \`znode.container.*\` and others), which it reads from
  the Java command line only. Here they work in the file too. A file that worked with Apache may hold a value
  that never had an effect: look at it before moving.
- \`zookeeper.<name>\` in the file means \`<name>\`; Apache ignores it there.
- A Java property on Apache's command line loses against the file; \`--set\` wins.
- Numbers that cannot be read are errors for every setting; for many of them Apache uses the default in silence. Hexadecimal
  (\`0xfffff\`) is accepted everywhere, a leading zero nowhere: Apache reads \`010\` as 10 in some places and 8 in others.
- Apache reads the file as Latin-1. Vivarium reads UTF-8, and Latin-1 when it is not UTF-8.
- A missing \`clientPort\` is an error: Apache starts a server nobody can reach.
- \`authProvider.X\` names an npm module, not a Java class.

In the column *Where*: *file* is a name of zoo.cfg only; *property* is \`zookeeper.<name>\` on Apache's command line and
\`<name>\` in the file; *both* is either; *unprefixed* is a Java property without \`zookeeper.\`. \`--set\` takes all of them, with or
without \`zookeeper.\`.`;

const whereWords = {
  "zoo.cfg": "file",
  both: "both",
  property: "property",
  unprefixed: "unprefixed",
  environment: "environment",
} as const;

function section(heading: string, settings: readonly Setting[]): string {
  const isEnvironment = settings.every(({ form }) => form === "environment");
  const head = isEnvironment
    ? "| Name | Meaning |\n|--|--|"
    : "| Name | Value | Default | Where | Meaning |\n|--|--|--|--|--|";
  const rows = settings.map((setting) => {
    const { name, kind, form, doc, also } = setting;
    if (isEnvironment) return `| \`${name}\` | ${cell(doc)} |`;
    const names = [name, ...(also ?? [])].map((one) => `\`${one}\``).join(", ");
    const shown = setting.default === undefined ? "" : setting.default === "" ? "(empty)" : `\`${setting.default}\``;
    return `| ${names} | ${cell(kind.label)} | ${shown} | ${whereWords[form]} | ${cell(doc)} |`;
  });
  return `${heading}\n\n${[head, ...rows].join("\n")}`;
}

function patternSection(): string {
  const rows = settingPatterns.map(({ name, doc }) => `| \`${name}\` | ${cell(doc)} |`);
  return `## Families of names\n\n| Name | Meaning |\n|--|--|\n${rows.join("\n")}`;
}

function byFeature(): [string, Setting[]][] {
  const features = new Map<string, Setting[]>();
  for (const setting of laterSettings) {
    const name = setting.feature ?? "other";
    features.set(name, [...(features.get(name) ?? []), setting]);
  }
  return [...features];
}

function defaultText(setting: Setting): string {
  if (setting.default === undefined) return "no default";
  return `default ${setting.default === "" ? "empty" : setting.default}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
