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
export const VERSION: string = "0.1.0";
