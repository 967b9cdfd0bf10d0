// Writes docs/configuration.md from the table of settings, as built. A test fails while the page is not current.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configurationPage } from "../packages/server/dist/config/index.js";
import { root } from "./setup.mjs";

writeFileSync(join(root, "docs", "configuration.md"), configurationPage());
