/*
 * Paths of this machine, as its system writes them. What a browser needs of paths is in `paths.ts`.
 */
import { basename, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A path from the root on. @param from where a relative one begins. Default: the current folder */
export const fullPath = (path: string, from = "."): string => resolve(from, path);

/** What a file or folder is called, however it is led to: `.` has a name too. */
export const nameOnDisk = (path: string): string => basename(fullPath(path));

/** What a file is called without its ending. */
export const stemOf = (path: string): string => basename(path, extname(path));

/** A file name's ending in small letters, with its dot; empty where there is none. */
export const endingOf = (path: string): string => extname(path).toLowerCase();

/** What is in a folder, by its path from there. */
export const fileIn = (folder: string, ...path: readonly string[]): string => join(folder, ...path);

/** What comes with the package, by its path from the package's root. */
export const packaged = (path: string): string =>
  // src/support/ and dist/support/ are equally deep, so this holds before and after the build.
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
