/** What an index is made of: images of folders, lists and patterns, as relative paths with labels and factors. */
import { stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import picomatch from "picomatch";
import { ClipInterpretError } from "../support/errors.ts";
import { inputError, isFile, isFolder, readInput } from "../support/files.ts";
import type { Report } from "../support/progress.ts";
import { lookAt } from "./file-kinds.ts";
import { whyUnreachable } from "./picture.ts";
import { spread } from "./root.ts";
import {
  countOther,
  labelled,
  NO_FACTORS,
  type PassedOver,
  type Source,
  type SourceImage,
} from "./source-image.ts";
import { commonFolder, inside, isList, type ListBytes, readBounded, readList } from "./source-list.ts";
import { unpacked } from "./source-packed.ts";
import { findInStore } from "./source-store.ts";
import { type Pattern, type WalkOptions, walk } from "./source-tree.ts";
import { isStoreAddress } from "./store-at.ts";
import { isWaterbirds, WATERBIRDS_LIST } from "./waterbirds.ts";

export type { FactorValue, Source, SourceImage } from "./source-image.ts";

/** How a source is looked through. */
export interface ScanOptions {
  /** Where image paths start: by default the folder, that of a list, or the one that holds all that is named. */
  readonly root?: string | undefined;
  /** Take hidden files, and what other programs keep for themselves. Default: false. */
  readonly hidden?: boolean | undefined;
  readonly report?: Report | undefined;
  /** What `-` reads. Default: standard input. */
  readonly stdin?: ListBytes | undefined;
}

/** The list that `clip-interpret demo` writes. */
const SCENES = "scenes.jsonl";

/**
 * Finds the images that are named:
 *
 * - every picture below a folder, in the order of their paths; where they lie in several folders, an image's folder is
 *   its label. A folder with a `scenes.jsonl`, or with the `metadata.csv` of Waterbirds, is what that list names;
 * - those that a `.csv`, `.jsonl` or `.txt` names, in its order, or (`-`) the lines of standard input;
 * - pictures in `.tar` archives (webdataset) and `.parquet` tables, wherever one is named or lies, with their captions and labels;
 * - what addresses of a store (`s3://bucket/prefix`) name in the same ways;
 * - a picture, or several pictures, folders and patterns (`photos/**\/*.jpg`) together, in the order of their paths.
 *
 * Hidden files, and thumbnails and bins of other programs, are passed over and counted, as is what is no picture.
 * Pictures in formats that are not read, and files that cannot be reached, are among the images, and say so.
 *
 * @param options a folder that cannot be read is reported as a warning, and its images are left out
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `LIST_INVALID`, `NO_IMAGES`, `SOURCE_GONE`, `USAGE`
 */
export async function scanSource(
  input: string | readonly string[],
  options: ScanOptions = {},
): Promise<Source> {
  const inputs = typeof input === "string" ? [input] : input;
  const expanded = inputs.flatMap(numbered);
  const stored = expanded.some(isStoreAddress);
  const found = await (stored ? findInStore(expanded, options) : find(expanded, options));
  const source = await unpacked(found, options.report);
  const what = inputs.join(", ");
  if (source.images.length === 0) {
    const also = source.passed ? passedOverText(source.passed) : "";
    throw new ClipInterpretError("NO_IMAGES", `no images in ${what}${also && ` (${also})`}`);
  }
  const [first] = source.images;
  if (source.images.every(({ unread }) => unread)) throw gone(what, first.unread!.message);
  return source;
}

/** What was passed over, in words; empty where nothing was. */
export function passedOverText({ hidden, others }: PassedOver): string {
  const kinds = Object.entries(others).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  const shown = kinds.slice(0, 6).map(([kind, count]) => `${count} ${kind}`);
  const rest = kinds.length > shown.length ? ", …" : "";
  return [
    ...(hidden > 0 ? [`${hidden} hidden or kept by other programs (--hidden takes them)`] : []),
    ...(total > 0
      ? [`${total} that ${total === 1 ? "is" : "are"} no picture: ${shown.join(", ")}${rest}`]
      : []),
  ].join("; ");
}

/** Images that stand for all others when it is seen whether a source is there at all. */
const SAMPLE = 16;

/** Sees that images can still be read: where one fails, that may be its own fault. @throws `SOURCE_GONE` */
export async function requireReachable({ root, images }: Source): Promise<void> {
  const there = images.filter(({ refused, unread }) => !refused && !unread);
  let why: string | undefined;
  for (const { path } of spread(there, SAMPLE)) {
    const failed = await whyUnreachable(root, path);
    if (!failed) return;
    why ??= failed.message;
  }
  if (why !== undefined) throw gone(root, why);
}

const gone = (what: string, why: string) =>
  new ClipInterpretError("SOURCE_GONE", `none of the images of ${what} can be read: ${why}`);

/** Most names that one input may stand for. */
const MOST_NUMBERS = 1_000_000;

/** `{000..099}` written out, as a shell does where it is not quoted. @throws `USAGE` */
function numbered(input: string): string[] {
  const [whole, first, last] = /\{(\d{1,9})\.\.(\d{1,9})\}/.exec(input) ?? [];
  if (whole === undefined) return [input];
  const [from, to] = [Number(first), Number(last)];
  if (to < from || to - from >= MOST_NUMBERS)
    throw new ClipInterpretError("USAGE", `${input}: ${whole} does not count from one number up to another`);
  return Array.from({ length: to - from + 1 }, (_, i) =>
    input.replace(whole, String(from + i).padStart(first.length, "0")),
  ).flatMap(numbered);
}

/** What the inputs name. */
async function find(inputs: readonly string[], options: ScanOptions): Promise<Source> {
  const { root, stdin = process.stdin } = options;
  const [only] = inputs;
  if (inputs.length === 1 && only === "-") {
    return readList(
      { name: "standard input", kind: ".txt", from: ".", bytes: await readBounded(stdin, only) },
      options,
    );
  }
  if (inputs.includes("-")) throw new ClipInterpretError("USAGE", "- stands for a list, which is read alone");
  const entry = inputs.length === 1 ? await stat(only).catch(() => undefined) : undefined;
  if (entry?.isDirectory()) {
    const list = await listIn(only);
    if (list) return listFile(list, dirname(list), options);
    return readTogether(inputs, { ...options, root: root ?? only });
  }
  // A shell hands over what another command prints as a pipe.
  if (entry?.isFIFO()) return listFile(only, ".", options);
  if (entry && !entry.isFile()) {
    throw new ClipInterpretError("INPUT_UNREADABLE", `${only} is neither a file nor a folder`);
  }
  if (entry && isList(only)) return listFile(only, dirname(only), options);
  const found = await readTogether(inputs, options);
  if (entry && found.images.length === 0) {
    const message = `${only} is neither a picture, nor a folder, nor a .csv, .jsonl or .txt list`;
    throw new ClipInterpretError("LIST_INVALID", message);
  }
  return found;
}

async function listFile(path: string, from: string, options: ScanOptions): Promise<Source> {
  const kind = isList(path) ? extname(path).toLowerCase() : ".txt";
  return readList({ name: path, kind, from, bytes: await readBounded(path, path) }, options);
}

/** The list that a folder holds, if it holds one. */
async function listIn(folder: string): Promise<string | undefined> {
  const scenes = join(folder, SCENES);
  if (await isFile(scenes)) return scenes;
  const metadata = join(folder, WATERBIRDS_LIST);
  if (!(await isFile(metadata))) return undefined;
  const [header] = (await readInput(metadata))
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .split(/\r?\n/, 1);
  return isWaterbirds(header.split(",").map((name) => name.trim())) ? metadata : undefined;
}

/** Pictures, folders and patterns together. */
async function readTogether(inputs: readonly string[], { root, ...options }: ScanOptions): Promise<Source> {
  const passed: PassedOver = { hidden: 0, others: {} };
  const unseen: string[] = [];
  /** Folders that hold what was named, each with files by their paths from there. */
  const groups: Group[] = [];
  const below = async (folder: string, pattern?: Pattern) => {
    const files: SourceImage[] = [];
    const blind = await walk(folder, files, passed, options, pattern);
    unseen.push(...blind.map((path) => join(folder, path)));
    groups.push({ folder, files });
    return files.length;
  };
  for (const input of inputs) {
    const path = resolve(input);
    const failed = await stat(path).then(
      async (entry) => {
        if (entry.isDirectory()) return void (await below(path));
        const seen = await lookAt(path);
        const files: SourceImage[] = [];
        if ("kind" in seen) countOther(passed, seen.kind);
        else files.push({ path: basename(path), ...seen, label: null, factors: NO_FACTORS });
        groups.push({ folder: dirname(path), files });
      },
      (cause: unknown) => ({ cause }),
    );
    if (!failed) continue;
    const pattern = patternOf(input, options);
    if (!pattern) throw inputError(input, failed.cause);
    const fitting = (await isFolder(pattern.base)) ? await below(pattern.base, pattern) : 0;
    if (fitting === 0) {
      throw new ClipInterpretError("INPUT_NOT_FOUND", `no picture fits the pattern ${input}`);
    }
  }
  const start = root === undefined ? commonFolder(groups.map(({ folder }) => folder)) : resolve(root);
  const blind = unseen.map((path) => relative(start, path).split(sep).join("/"));
  return { root: start, images: labelled(filesFrom(start, groups), blind), unseen: blind, passed };
}

/** Files by their paths from a folder. */
interface Group {
  readonly folder: string;
  readonly files: readonly SourceImage[];
}

/**
 * Files of several folders by their paths from one that holds them all, each once. Those of one folder stay as they are: there may
 * be more than a map takes.
 */
function filesFrom(root: string, groups: readonly Group[]): readonly SourceImage[] {
  const moved = groups.map(({ folder, files }) => {
    if (files.length > 0) inside(root, join(folder, files[0].path), "input");
    const prefix = relative(root, folder).split(sep).join("/");
    return prefix === "" ? files : files.map((file) => ({ ...file, path: `${prefix}/${file.path}` }));
  });
  if (moved.length === 1) return moved[0];
  const all = new Map<string, SourceImage>();
  for (const files of moved) for (const file of files) all.set(file.path, file);
  return [...all.values()];
}

/** What an input means as a pattern; undefined where it has nothing of one. */
function patternOf(input: string, { hidden = false }: WalkOptions): (Pattern & { base: string }) | undefined {
  const given = sep === "\\" ? input.replaceAll("\\", "/") : input;
  const { base, glob, isGlob, isBrace } = picomatch.scan(given);
  if (!glob || !(isGlob || isBrace)) return undefined;
  const depth = glob.includes("**") ? Number.POSITIVE_INFINITY : glob.split("/").length;
  return { base: resolve(base), fits: picomatch(glob, { dot: hidden }), depth };
}
