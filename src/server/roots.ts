import { opendir, realpath, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { isReadableName } from "../corpus/picture-names.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { inputError } from "../support/files.ts";

/** A folder below a root, as a page sees it: names only. */
export interface BrowsedFolder {
  readonly root: string;
  /** From the root, with slashes; empty for the root itself. */
  readonly path: string;
  readonly folders: readonly string[];
  /** Files in it that are named as pictures. */
  readonly pictures: number;
  /** Whether there is more in it than was looked at. */
  readonly more: boolean;
}

/** Folders below which pages may choose pictures. */
export interface Roots {
  /** As pages name them, with the folders themselves, links resolved. */
  readonly all: readonly { readonly name: string; readonly folder: string }[];
  /** @throws `NOT_FOUND`, whatever the reason */
  browse(root: string, path: string): Promise<BrowsedFolder>;
  /** The folder itself, links resolved, and its root. @throws `NOT_FOUND`, whatever the reason */
  resolve(root: string, path: string): Promise<{ folder: string; root: string }>;
}

/** Entries of a folder that are looked at, and folders of it that are told. */
const MOST_ENTRIES = 20_000;
const MOST_FOLDERS = 1000;

/** Opens roots. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` for what is no folder */
export async function openRoots(folders: readonly string[]): Promise<Roots> {
  const all: { name: string; folder: string }[] = [];
  for (const given of folders) {
    const folder = await realpath(given).catch((cause) => Promise.reject(inputError(given, cause)));
    if (!(await stat(folder)).isDirectory())
      throw new ClipInterpretError("INPUT_UNREADABLE", `--root ${given} is no folder`);
    if (all.some((root) => root.folder === folder)) continue;
    const plain = basename(folder) || "root";
    let name = plain;
    for (let n = 2; all.some((root) => root.name === name); n++) name = `${plain} (${n})`;
    all.push({ name, folder });
  }
  const resolve = async (name: string, path: string) => {
    const root = all.find((one) => one.name === name)?.folder;
    const steps = path.split("/").filter((step) => step !== "");
    if (root === undefined || steps.some((step) => step.startsWith(".") || /[\\\0]/.test(step)))
      throw missing();
    const folder = await realpath(join(root, ...steps)).catch(() => Promise.reject(missing()));
    if (!isBelow(root, folder) || !(await isReadableFolder(folder))) throw missing();
    return { folder, root };
  };
  return {
    all,
    resolve,
    async browse(name, path) {
      const { folder, root } = await resolve(name, path);
      const names: string[] = [];
      let [pictures, seen] = [0, 0];
      const entries = await opendir(folder).catch(() => Promise.reject(missing()));
      for await (const entry of entries) {
        if (++seen > MOST_ENTRIES) break;
        if (entry.name.startsWith(".")) continue;
        if (isReadableName(entry.name)) pictures++;
        else if (entry.isDirectory()) names.push(entry.name);
        else if (entry.isSymbolicLink() && (await leadsToFolder(root, join(folder, entry.name))))
          names.push(entry.name);
      }
      names.sort((a, b) => (a < b ? -1 : 1));
      return {
        root: name,
        path: path
          .split("/")
          .filter((step) => step !== "")
          .join("/"),
        ...{ folders: names.slice(0, MOST_FOLDERS), pictures },
        more: seen > MOST_ENTRIES || names.length > MOST_FOLDERS,
      };
    },
  };
}

const missing = () =>
  new ClipInterpretError("NOT_FOUND", "there is no such folder in the roots of this server");

/** Whether a path, links resolved, is a folder or lies in it. */
const isBelow = (root: string, path: string) =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);

/** Whether a file lies below a root when links are resolved. @param root resolved itself */
export const isInside = async (root: string, path: string): Promise<boolean> =>
  realpath(path).then(
    (found) => isBelow(root, found),
    () => false,
  );

const isReadableFolder = (path: string) =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

const leadsToFolder = async (root: string, path: string) =>
  (await isInside(root, path)) && (await isReadableFolder(path));
