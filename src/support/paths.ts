/*
 * Names of files in folders, for paths of any system and for addresses: what of `node:path` a browser needs too.
 */

/** Where the name begins: behind the last slash, or backslash in a path that is Windows' by how it begins. */
const nameStart = (path: string): number =>
  (/^([a-z]:[\\/]|\\\\)/i.test(path)
    ? Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"))
    : path.lastIndexOf("/")) + 1;

/** The last part of a path. */
export const nameIn = (path: string): string => path.slice(nameStart(path));

/** The folder that a path's last part is in; "." for a bare name. */
export const folderOf = (path: string): string => path.slice(0, Math.max(nameStart(path) - 1, 0)) || ".";

/** A name in a folder. */
export const pathIn = (folder: string, name: string): string => `${folder.replace(/[\\/]$/, "")}/${name}`;
