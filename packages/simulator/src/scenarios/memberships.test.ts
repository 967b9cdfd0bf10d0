import { tryScenarios } from "../testing/try-scenarios.ts";

await tryScenarios(import.meta.url);
