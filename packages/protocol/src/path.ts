/**
 * The rules for a znode's path. They differ by operation: creates and writes check all of {@link pathProblem}, deletes
 * only that there is a slash and no NUL, reads nothing. @see PathUtils, PrepRequestProcessor
 */

/** Nodes that every tree has and that nobody may delete. */
export const PROC_PATH = "/zookeeper";
export const QUOTA_PATH = "/zookeeper/quota";
export const CONFIG_PATH = "/zookeeper/config";

export function isSpecialPath(path: string): boolean {
  return path === "/" || path === PROC_PATH || path === QUOTA_PATH || path === CONFIG_PATH;
}

/** What is wrong with a path, as a sentence for people, or undefined when it is valid. */
export function pathProblem(path: string): string | undefined {
  if (path.length === 0) return "a path must not be empty";
  if (path.charCodeAt(0) !== SLASH) return "a path must start with /";
  if (path.length === 1) return undefined;
  if (path.charCodeAt(path.length - 1) === SLASH) return "a path must not end with /";
  let start = 1;
  for (let i = 1; i <= path.length; i++) {
    const unit = i === path.length ? SLASH : path.charCodeAt(i);
    if (unit === SLASH) {
      const size = i - start;
      if (size === 0) return `an empty name before offset ${i}`;
      if (size === 1 && path.charCodeAt(start) === DOT) return "relative paths (.) are not allowed";
      if (size === 2 && path.charCodeAt(start) === DOT && path.charCodeAt(start + 1) === DOT) {
        return "relative paths (..) are not allowed";
      }
      start = i + 1;
    } else if (isForbiddenUnit(unit)) {
      return `the character U+${unit.toString(16).padStart(4, "0")} at offset ${i} is not allowed`;
    }
  }
  return undefined;
}

const SLASH = 0x2f;
const DOT = 0x2e;

function isForbiddenUnit(unit: number): boolean {
  if (unit > 0x1f && unit < 0x7f) return false;
  return (
    unit <= 0x1f ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0xd800 && unit <= 0xf8ff) ||
    (unit >= 0xfff0 && unit <= 0xffff)
  );
}

/** The path of the parent: "" for "/x", because "" and "/" both name the root. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The last name of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
