/** What an index is made of: a folder of images, or a list of them, as relative paths with labels and factors. */

import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, extname, isAbsolute, join, posix, relative, resolve, sep } from "node:path";
import { parse as parseCsv } from "csv-parse/sync";
import { z } from "zod";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { inputError, isFile, readInput } from "../support/files.ts";
import type { Report } from "../support/progress.ts";
import { reasonOf } from "../support/reason.ts";
import { isWaterbirds, WATERBIRDS_LIST, waterbirdsRow } from "./waterbirds.ts";

/** The value of a factor of an image; null where it has none. */
export type FactorValue = string | number | null;

/** One image of a source. */
export interface SourceImage {
  /** Relative to the source's root, with forward slashes. */
  readonly path: string;
  /** Size of the file; 0 when it is missing. */
  readonly bytes: number;
  readonly label: string | null;
  readonly factors: Readonly<Record<string, FactorValue>>;
}

/** Images below one root folder, each path once. */
export interface Source {
  readonly root: string;
  readonly images: readonly SourceImage[];
  /** Folders below the root that could not be read: nothing is known of what lies in them. */
  readonly unseen?: readonly string[];
}

const EXTENSIONS = new Set([
  ".jpg",
  ".jpeg",
  ".jpe",
  ".jfif",
  ".png",
  ".webp",
  ".gif",
  ".tif",
  ".tiff",
  ".avif",
]);
/** The list that `clip-interpret demo` writes. */
const SCENES = "scenes.jsonl";

/**
 * Finds the images of `input`: every image file below a folder, in the order of their paths, or those that a `.csv` or
 * `.jsonl` names, in its order. A folder with a `scenes.jsonl`, or with the `metadata.csv` of Waterbirds
 * ({@link waterbirdsRow}), is what that list names. In a folder whose images lie in several folders, an image's folder
 * is its label.
 *
 * @param options `root` is where a list's paths start; by default its own folder. A folder that cannot be read is
 *   reported as a warning, and its images are left out.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `LIST_INVALID`, `NO_IMAGES`
 */
export async function scanSource(
  input: string,
  { root, report }: { readonly root?: string; readonly report?: Report } = {},
): Promise<Source> {
  const entry = await stat(input).catch((cause) => Promise.reject(inputError(input, cause)));
  const list = entry.isDirectory() ? await listIn(input) : input;
  const found = list
    ? await readList(list, resolve(root ?? dirname(list)))
    : await readTree(resolve(input), report);
  if (found.images.length === 0) throw new ClipInterpretError("NO_IMAGES", `no images in ${input}`);
  return found;
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

/** A row of a list, and its place in the list. */
type Listed = Omit<SourceImage, "bytes"> & { readonly where: string };

/** Every image file below `root`, sorted. Links to files are followed, links to folders are not. */
async function readTree(root: string, report?: Report): Promise<Source> {
  const found: { path: string; bytes: number }[] = [];
  const unseen: string[] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    let entries: Dirent[];
    try {
      entries = await readdir(join(root, folder), { withFileTypes: true });
    } catch (cause) {
      const message = `cannot read the folder ${join(root, folder)}: ${messageOf(cause)}`;
      if (folder === "") throw new ClipInterpretError("INPUT_UNREADABLE", message, { cause });
      report?.({ type: "warning", code: "INPUT_UNREADABLE", message });
      unseen.push(folder);
      continue;
    }
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      else if (EXTENSIONS.has(extname(entry.name).toLowerCase())) {
        const bytes = await fileSize(join(root, path));
        // A broken link is an image that cannot be read; a link to a folder is none.
        if (bytes !== null) found.push({ path, bytes });
      }
    }
  }
  const sorted = found.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { root, images: labelled(sorted, unseen), unseen };
}

/** Size of a file, 0 when it is missing, null when it is no file. */
async function fileSize(path: string): Promise<number | null> {
  try {
    const entry = await stat(path);
    return entry.isFile() ? entry.size : null;
  } catch {
    return 0;
  }
}

/** Labels from folders, where there are at least two. */
function labelled(
  files: readonly { path: string; bytes: number }[],
  unseen: readonly string[],
): SourceImage[] {
  const several = new Set([...files.map(({ path }) => posix.dirname(path)), ...unseen]).size > 1;
  return files.map(({ path, bytes }) => {
    const folder = posix.dirname(path);
    return { path, bytes, label: several && folder !== "." ? folder : null, factors: {} };
  });
}

/** The images that a list names. */
async function readList(list: string, root: string): Promise<Source> {
  const text = (await readInput(list)).toString("utf8").replace(/^\ufeff/, "");
  const kind = extname(list).toLowerCase();
  if (kind !== ".csv" && kind !== ".jsonl") {
    throw new ClipInterpretError("LIST_INVALID", `${list} is neither a folder nor a .csv or .jsonl list`);
  }
  const rows = kind === ".csv" ? csvRows(text, list) : jsonRows(text, list);
  const seen = new Set<string>();
  const images: SourceImage[] = [];
  for (const { where, label, factors, ...row } of rows) {
    const path = inside(root, row.path, where);
    if (seen.has(path)) throw new ClipInterpretError("LIST_INVALID", `${where}: ${path} is named twice`);
    seen.add(path);
    images.push({ path, bytes: (await fileSize(join(root, path))) ?? 0, label, factors });
  }
  return { root, images };
}

/** A path as it is kept: relative to the root, and not out of it. */
function inside(root: string, path: string, where: string): string {
  const kept = relative(root, resolve(root, path)).split(sep).join("/");
  if (kept === "" || kept === ".." || kept.startsWith("../") || isAbsolute(kept)) {
    throw new ClipInterpretError("LIST_INVALID", `${where}: ${path} does not lie in ${root}`, {
      hint: "Name the folder that holds all images with --root.",
    });
  }
  return kept;
}

const csvSchema = z.array(z.record(z.string(), z.string()));

/**
 * A header line with `path`, perhaps `label`; every other column is a factor, empty where an image has none. Or the list
 * of Waterbirds.
 */
function csvRows(text: string, list: string): Listed[] {
  let records: z.infer<typeof csvSchema>;
  try {
    records = csvSchema.parse(parseCsv(text, { columns: true, skip_empty_lines: true, trim: true }));
  } catch (cause) {
    throw new ClipInterpretError("LIST_INVALID", `${list}: ${reasonOf(cause)}`, { cause });
  }
  const waterbirds = isWaterbirds(Object.keys(records[0] ?? {}));
  return records.map((record, i) => {
    const where = `${list}, row ${i + 1}`;
    if (waterbirds) return { ...waterbirdsRow(record, where), where };
    const { path, label, ...others } = record;
    if (!path) throw new ClipInterpretError("LIST_INVALID", `${where}: no path`);
    const factors = Object.entries(others).map(
      ([name, value]) => [name, value === "" ? null : value] as const,
    );
    return { path, label: label || null, factors: Object.fromEntries(factors), where };
  });
}

const jsonRowSchema = z.object({
  path: z.string().min(1),
  label: z.string().nullish(),
  factors: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).default({}),
});

function jsonRows(text: string, list: string): Listed[] {
  const lines = text.split("\n").map((line, i) => ({ line, where: `${list}, line ${i + 1}` }));
  return lines
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, where }) => {
      try {
        const { path, label, factors } = jsonRowSchema.parse(JSON.parse(line));
        return { path, label: label ?? null, factors, where };
      } catch (cause) {
        throw new ClipInterpretError("LIST_INVALID", `${where}: ${reasonOf(cause)}`, { cause });
      }
    });
}
