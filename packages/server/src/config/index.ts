// Configuration: the table of settings, and zoo.cfg to ServerConfig.

export { ConfigError, type ConfigProblem, formatProblem } from "./config-error.ts";
export { fourLetterWords } from "./four-letter-words.ts";
export { type AuthProviderModule, loadAuthProviders } from "./load-auth-providers.ts";
export { loadConfig } from "./load-config.ts";
export { nearestName } from "./nearest.ts";
export {
  defaultConfig,
  type Override,
  type ParseConfigOptions,
  type ParsedConfig,
  parseConfig,
} from "./parse-config.ts";
export { type PropertyEntry, parseProperties } from "./properties.ts";
export { configurationPage, settingsHelp } from "./reference-page.ts";
export type { ServerConfig } from "./server-config.ts";
export type { Setting, Status } from "./setting.ts";
export { allSettings, findSetting } from "./settings.ts";
