/** Lists of images: tables with labels and factors, and plain lines of paths. */

import { createReadStream } from "node:fs";
import { dirname, extname, isAbsolute, join, parse as parsePath, relative, resolve, sep } from "node:path";
import { parse as parseCsv } from "csv-parse/sync";
import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { inputError } from "../support/files.ts";
import type { Report } from "../support/progress.ts";
import { reasonOf } from "../support/reason.ts";
import { lookAt } from "./file-kinds.ts";
import { refusalOf } from "./picture-names.ts";
import type { Source, SourceImage } from "./source-image.ts";
import { isStoreAddress, placeOf } from "./store-at.ts";
import { isWaterbirds, waterbirdsRow } from "./waterbirds.ts";

/** A list that was read. */
export interface List {
  /** What messages call it. */
  readonly name: string;
  /** `.csv`, `.jsonl` or `.txt`. */
  readonly kind: string;
  /** The folder that its paths start at. */
  readonly from: string;
  readonly bytes: Buffer;
}

/** Where a list comes from that has no end before it is read. */
export type ListBytes = AsyncIterable<Uint8Array | string>;

/** A row of a list, and its place in the list. */
interface Listed extends Pick<SourceImage, "path" | "label" | "factors"> {
  readonly where: string;
}

const PARSERS: Readonly<Record<string, (text: string, list: string) => Listed[]>> = {
  ".csv": csvRows,
  ".jsonl": jsonRows,
  ".txt": textRows,
};

/** Whether a file is a list, by its name. */
export const isList = (path: string): boolean => Object.hasOwn(PARSERS, extname(path).toLowerCase());

/** A list of two million long paths. */
const MOST_BYTES = 256e6;

/** Reads a list to its end, from a file, a pipe or a stream. @throws `LIST_INVALID` for one that is too long */
export async function readBounded(source: string | ListBytes, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of typeof source === "string" ? createReadStream(source) : source) {
      const bytes = Buffer.from(chunk as Uint8Array);
      chunks.push(bytes);
      length += bytes.length;
      if (length > MOST_BYTES) {
        throw new ClipInterpretError("LIST_INVALID", `${name} is longer than ${MOST_BYTES / 1e6} MB`);
      }
    }
  } catch (cause) {
    throw cause instanceof ClipInterpretError ? cause : inputError(name, cause);
  }
  return Buffer.concat(chunks);
}

/**
 * The images that a list names. Paths of a table that are named twice, or lie elsewhere than below the root, are refused:
 * its labels would be at odds. Plain lines may repeat a path, and lie anywhere.
 * @throws `LIST_INVALID`
 */
export async function readList(
  { name, kind, from, bytes }: List,
  { root, report }: { readonly root?: string | undefined; readonly report?: Report | undefined },
): Promise<Source> {
  const rows = PARSERS[kind](bytes.toString("utf8").replace(/^\ufeff/, ""), name);
  const plain = kind === ".txt";
  if (rows.some(({ path }) => isStoreAddress(path)) || isStoreAddress(root ?? from))
    return storedList(rows, root ?? from, name, report);
  const base = resolve(root ?? from);
  const start = root === undefined && plain ? startOf(base, rows) : base;
  const images = new Map<string, SourceImage>();
  const repeated: string[] = [];
  for (const { where, path: given, label, factors } of rows) {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(given)) {
      const hint = "Fetch the pictures first, or put the addresses into a Parquet table: a list names files.";
      throw new ClipInterpretError("LIST_INVALID", `${where}: ${given} is an address`, { hint });
    }
    const path = inside(start, resolve(base, given), where, given);
    if (images.has(path)) {
      if (!plain) throw new ClipInterpretError("LIST_INVALID", `${where}: ${path} is named twice`);
      repeated.push(path);
      continue;
    }
    images.set(path, { path, listed: true, ...(await lookAt(join(start, path), true)), label, factors });
  }
  if (repeated.length > 0) {
    const message = `${name} names ${repeated.length} images again, such as ${repeated[0]}; each is taken once`;
    report?.({ type: "warning", code: "IMAGE_REPEATED", message });
  }
  return { root: start, images: [...images.values()] };
}

/** The images of a list of addresses, or of paths from one. They are not looked at before their turn comes. */
function storedList(rows: readonly Listed[], from: string, name: string, report: Report | undefined): Source {
  const addresses = rows.map(({ path, where }) => {
    if (isStoreAddress(path)) return placeOf(path);
    if (isStoreAddress(from) && !/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return placeOf(`${from}/${path}`);
    throw new ClipInterpretError("LIST_INVALID", `${where}: ${path} is no address of a store, as others are`);
  });
  const root = isStoreAddress(from) ? placeOf(from) : commonFolderOf(addresses, name);
  const images = new Map<string, SourceImage>();
  let repeated = 0;
  for (const [i, { where, label, factors }] of rows.entries()) {
    const address = addresses[i];
    if (!address.startsWith(`${root}/`))
      throw new ClipInterpretError("LIST_INVALID", `${where}: ${address} does not lie in ${root}`);
    const path = address.slice(root.length + 1);
    if (images.has(path)) repeated++;
    else images.set(path, { path, listed: true, bytes: 0, ...refusalOf(path), label, factors });
  }
  if (repeated > 0) {
    const message = `${name} names ${repeated} images again; each is taken once`;
    report?.({ type: "warning", code: "IMAGE_REPEATED", message });
  }
  return { root, images: [...images.values()] };
}

/** The deepest address that holds all of some. @throws `LIST_INVALID` where they lie in several buckets */
export function commonFolderOf(addresses: readonly string[], name: string): string {
  const [first, ...others] = addresses.map((address) =>
    address.slice("s3://".length).split("/").slice(0, -1),
  );
  let shared = first.length;
  for (const steps of others) {
    const differs = first.findIndex((step, i) => step !== steps[i]);
    if (differs >= 0) shared = Math.min(shared, differs);
  }
  if (shared > 0) return `s3://${first.slice(0, shared).join("/")}`;
  throw new ClipInterpretError(
    "LIST_INVALID",
    `${name} names several buckets: images of an index lie in one`,
  );
}

/** The folder of a list if all lies below it, else the one that holds all. */
function startOf(base: string, rows: readonly Listed[]): string {
  const paths = rows.map(({ path }) => resolve(base, path));
  return paths.every((path) => path.startsWith(base.endsWith(sep) ? base : base + sep))
    ? base
    : commonFolder(paths.map((path) => dirname(path)));
}

/** The deepest folder that holds all of some folders; the first one's root where there is none. */
export function commonFolder(folders: readonly string[]): string {
  const { root } = parsePath(folders[0]);
  const [first, ...others] = folders.map((folder) => folder.split(sep));
  let shared = first.length;
  for (const parts of others) {
    const differs = parts.findIndex((part, i) => part !== first[i]);
    shared = Math.min(shared, differs < 0 ? parts.length : differs);
  }
  return resolve(root, first.slice(0, shared).join(sep) || root);
}

/** A path as it is kept: relative to the root, and not out of it. @param given what a message calls it */
export function inside(root: string, path: string, where: string, given = path): string {
  const kept = relative(root, path).split(sep).join("/");
  if (kept === "" || kept === ".." || kept.startsWith("../") || isAbsolute(kept)) {
    throw new ClipInterpretError("LIST_INVALID", `${where}: ${given} does not lie in ${root}`, {
      hint: "Name the folder that holds all images with --root.",
    });
  }
  return kept;
}

/** A path a line; with zero bytes (`find -print0`), one between two of them. */
function textRows(text: string, list: string): Listed[] {
  const lines = text.includes("\0") ? text.split("\0") : text.split(/\r?\n/);
  return lines.flatMap((path, i) =>
    path.trim() === "" ? [] : [{ path, label: null, factors: {}, where: `${list}, line ${i + 1}` }],
  );
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
