import { randomBytes } from "node:crypto";
import { constants, createReadStream, readFileSync, rmSync } from "node:fs";
import {
  access,
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { packaged } from "./disk-paths.ts";
import { ownCacheFolder } from "./environment.ts";
import { ClipInterpretError, messageOf } from "./errors.ts";
import { parseJson } from "./json.ts";

/** Reads a whole file; `INPUT_NOT_FOUND` or `INPUT_UNREADABLE` when that fails. */
export async function readInput(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw inputError(path, cause);
  }
}

/** The coded error for a failed read of `path`. */
export function inputError(path: string, cause: unknown): ClipInterpretError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  if (["ENOENT", "ENOTDIR"].includes(code))
    return new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${path}`, { cause });
  if (code === "EISDIR") {
    const hint = "Name a file in it; `index` takes whole folders.";
    return new ClipInterpretError("INPUT_UNREADABLE", `${path} is a folder`, { hint, cause });
  }
  return new ClipInterpretError("INPUT_UNREADABLE", `cannot read ${path}: ${messageOf(cause)}`, { cause });
}

const entryAt = (path: string) => stat(path).catch(() => undefined);

/** Whether anything is at a path, links followed. */
export const isThere = async (path: string): Promise<boolean> => (await entryAt(path)) !== undefined;
/** Whether a file is at a path, links followed. */
export const isFile = async (path: string): Promise<boolean> => (await entryAt(path))?.isFile() ?? false;
/** Whether a folder is at a path, links followed. */
export const isFolder = async (path: string): Promise<boolean> =>
  (await entryAt(path))?.isDirectory() ?? false;
/** Bytes of a file; undefined if there is none. */
export const sizeOf = async (path: string): Promise<number | undefined> => (await entryAt(path))?.size;

/** Names of what is in a folder; none where there is no such folder. */
export const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** A text that comes with the package, by its path from the package's root. */
export const packagedText = (path: string): string => readFileSync(packaged(path), "utf8");

/** A text file's lines, one by one; none where there is no such file. */
export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  if (await isFile(path)) yield* createInterface({ input: createReadStream(path) });
}

/** Reads and parses a JSON file, with or without a byte-order mark; `JSON_INVALID` when it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readInput(path), path);
}

/** What a file is written from. */
export type FileData =
  | string
  | Uint8Array
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>;

/** How a file is brought to the disk. */
export interface WholeOptions {
  /** Where it is gathered: a name beside it that no one else has, unless one process alone writes there. */
  readonly part?: string;
  /** False for one of many files that can be made again: a loss of power may then lose it. Default: true. */
  readonly synced?: boolean;
}

/**
 * Writes or replaces a file, making its folder. Its name holds what was there before, or all of the new data.
 * What is no regular file, such as `/dev/stdout`, is written to directly.
 * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`, or what `data` throws
 */
export const writeWhole = (path: string, data: FileData, options?: WholeOptions): Promise<void> =>
  fillWhole(path, (part) => writeChunks(part, data), options);

/** As {@link writeWhole}, for what writes a file by itself. @param fill makes the file that it is given the name of */
export async function fillWhole(
  path: string,
  fill: (part: string) => Promise<void>,
  { part, synced = true }: WholeOptions = {},
): Promise<void> {
  await guardWrite(path, async () => {
    await makeFolder(dirname(path));
    const old = await entryAt(path);
    if (STREAM.test(path) || (old && !old.isFile())) return fill(path);
    // A link stays a link, and a file that was closed to its owner stays so.
    const target = old ? await realpath(path) : path;
    if (old) await access(target, constants.W_OK);
    const gathered = part ?? partOf(target);
    await discardedUnlessKept(gathered, async () => {
      await fill(gathered);
      if (old) await chmod(gathered, old.mode).catch(() => {});
      await putInPlace(gathered, target, synced);
    });
  });
}

/**
 * Makes a folder and those above it that are missing. Not with mkdir's own `recursive`: where the system says of a folder that is
 * there that it is not (`/proc/x`), that asks for ever.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isFolder(at)); at = dirname(at)) {
    missing.push(at);
    if (at === dirname(at)) break;
  }
  for (const folder of missing.reverse()) {
    try {
      await mkdir(folder);
    } catch (cause) {
      // Another process may have made it; of a file that stands in the way the next one tells, below it.
      if (await isFolder(folder)) continue;
      if (folder === missing.at(-1) || (cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    }
  }
}

/**
 * Makes a folder: its name holds all that `fill` writes, or nothing. An empty folder may be there.
 * @param fill is given the folder that is filled
 * @throws `OUTPUT_UNWRITABLE` where something is in it already, `DISK_FULL`, or what `fill` throws
 */
export async function fillFolder(path: string, fill: (partial: string) => Promise<void>): Promise<void> {
  const exists = await refuseFilled(path);
  const partial = `${path}.partial`;
  try {
    await guardWrite(path, async () => {
      await remove(partial);
      await makeFolder(dirname(partial));
      await fill(partial);
      if (exists) await rmdir(path);
      await putInPlace(partial, path);
    });
  } catch (cause) {
    await remove(partial);
    throw cause;
  }
}

/** Whether the folder exists; nothing may be in it. */
async function refuseFilled(folder: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw writeError(folder, cause);
  }
  if (names.length === 0) return true;
  const hint = "Name a new folder: nothing is ever edited in place.";
  throw new ClipInterpretError("OUTPUT_UNWRITABLE", `${folder} is not empty`, { hint });
}

/** Adds to the end of a file, making it and its folder where they are missing. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
export const appendTo = (path: string, text: string): Promise<void> =>
  guardWrite(path, async () => {
    await makeFolder(dirname(path));
    await appendFile(path, text);
  });

/** Removes a file, or a folder with all that is in it; what is not there is no error. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

/** Removes what was written to longest ago of what is in a folder, until so many are left. */
export async function keepNewest(folder: string, most: number): Promise<void> {
  const dated = await Promise.all(
    (await namesIn(folder)).map(async (name) => {
      const path = join(folder, name);
      return { path, time: (await stat(path)).mtimeMs };
    }),
  );
  dated.sort((a, b) => b.time - a.time);
  for (const { path } of dated.slice(most)) await remove(path);
}

/** Works in a folder of the system's for temporary files, which is removed. @param name what its own begins with */
export async function inTemporaryFolder<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `clip-interpret-${name}-`));
  try {
    return await work(folder);
  } finally {
    await remove(folder);
  }
}

/** How often, and from how many milliseconds on: 1.3 s in all. */
const HELD_TRIES = process.platform === "win32" ? 8 : 1;
const HELD_PAUSE = 10;

/**
 * Does `work` again while it fails because something is open elsewhere: Windows neither replaces nor renames what a virus scanner or
 * a reader has open, for some moments.
 */
export async function whileHeld<T>(work: () => Promise<T>, tries: number = HELD_TRIES): Promise<T> {
  for (let pause = HELD_PAUSE; ; pause *= 2) {
    try {
      return await work();
    } catch (cause) {
      const held = ["EACCES", "EBUSY", "EPERM"].includes((cause as NodeJS.ErrnoException).code ?? "");
      if (!held || --tries <= 0) throw cause;
      await setTimeout(pause);
    }
  }
}

/** Gives a finished file or folder its name, for good. */
export async function putInPlace(part: string, path: string, synced = true): Promise<void> {
  if (synced) await sync(part);
  await whileHeld(() => rename(part, path));
  if (synced) await sync(dirname(path));
}

/** Runs `work`; a failed write becomes a coded error. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
export async function guardWrite<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof ClipInterpretError ? cause : writeError(path, cause);
  }
}

/** The coded error for a failed write of `path`; of one in this program's cache it says how to have that elsewhere. */
export function writeError(path: string, cause: unknown): ClipInterpretError {
  const code = isDiskFull(cause) ? "DISK_FULL" : "OUTPUT_UNWRITABLE";
  const isKept = resolve(path).startsWith(resolve(ownCacheFolder(process.env)) + sep);
  const hint = isKept && "Set CLIP_INTERPRET_CACHE to a folder that may be written to and has space left.";
  return new ClipInterpretError(code, `cannot write ${path}: ${messageOf(cause)}`, {
    ...(hint && { hint }),
    cause,
  });
}

/**
 * Sees that this program can keep files below a folder of its cache, before work whose results are kept there: a folder is made and
 * taken away, since rights alone do not tell.
 * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`
 */
export const requireCache = (folder: string): Promise<void> =>
  guardWrite(folder, async () => {
    await makeFolder(folder);
    await rmdir(await mkdtemp(join(folder, ".try-")));
  });

/**
 * Sees that a result can be written, before the work for it: that its file, or else the nearest folder there is, may be written to.
 * What is a folder already, and an address, may need no writing.
 * @throws `OUTPUT_UNWRITABLE`
 */
export const requireWritable = (path: string): Promise<void> =>
  guardWrite(path, async () => {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path) || STREAM.test(path) || (await isFolder(path))) return;
    let at = resolve(path);
    while (!(await isThere(at)) && at !== dirname(at)) at = dirname(at);
    if (at !== resolve(path) && !(await isFolder(at))) throw new Error(`${at} is no folder`);
    await access(at, constants.W_OK);
  });

/** Whether a write failed for lack of room. */
export const isDiskFull = (cause: unknown): boolean =>
  ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "");

/** The path of a stream of the process, wherever that leads. */
const STREAM = /^\/(dev\/(std(in|out|err)$|fd\/)|proc\/)/;

/** A name that no other process writes to; the file's own is shortened, since names have a longest length. */
const partOf = (path: string): string =>
  join(dirname(path), `${basename(path).slice(0, 40)}.${randomBytes(4).toString("hex")}.part`);

async function writeChunks(path: string, data: FileData): Promise<void> {
  const handle = await open(path, "w");
  try {
    const chunks = typeof data === "string" || data instanceof Uint8Array ? [data] : data;
    for await (const chunk of chunks) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}

/** Parts that are being written: an exit in the middle removes them. */
const parts = new Set<string>();

async function discardedUnlessKept(part: string, work: () => Promise<void>): Promise<void> {
  if (parts.size === 0) process.once("exit", removeParts);
  parts.add(part);
  try {
    await work();
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    throw cause;
  } finally {
    parts.delete(part);
    if (parts.size === 0) process.off("exit", removeParts);
  }
}

const removeParts = () => {
  for (const part of parts) rmSync(part, { force: true });
};

/** Makes what was written or renamed last; some systems know no syncing of folders. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r+")
    .catch(() => open(path))
    .catch(() => undefined);
  try {
    await handle?.sync();
  } catch (cause) {
    if (!["EINVAL", "EISDIR", "EPERM", "ENOTSUP"].includes((cause as NodeJS.ErrnoException).code ?? ""))
      throw cause;
  } finally {
    await handle?.close();
  }
}
