import { readFileSync } from "node:fs";

/**
 * This package's version.
 *
 * @example
 * ```ts
 * import { VERSION } from "clip-interpret";
 *
 * console.log(/^\d+\.\d+\.\d+/.test(VERSION)); // → true
 * ```
 */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version;
