/** Where the images of an index lie, and how it finds them again when it moves together with them. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, parse, posix, relative, resolve, sep, win32 } from "node:path";
import { pipeline } from "node:stream/promises";
import { ClipInterpretError } from "../support/errors.ts";
import { isFile } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import { pictureOf, readPicture, whyUnreachable } from "./picture.ts";
import type { ImageRow } from "./rows.ts";
import { isStoreAddress } from "./s3-store.ts";
import { isOfStore } from "./store.ts";

const real = (path: string) => realpath(path).catch(() => path);

/**
 * The root as a manifest holds it: from the index's folder where the two are likely to move together, which is when the
 * images lie around the index, in it or beside it; else absolute.
 */
export async function storedRoot(index: string, root: string): Promise<string> {
  if (isStoreAddress(index) || isStoreAddress(root)) return root;
  // A link that is the root itself is kept: what it leads to lies elsewhere.
  const place = join(await real(dirname(root)), basename(root));
  const steps = relative(await real(index), place).split(sep);
  const up = steps.filter((step) => step === "..").length;
  const around = up === steps.length && place !== parse(place).root;
  if (isAbsolute(steps.join(sep)) || !(around || (up <= 1 && up < steps.length))) return root;
  return steps.join("/") || ".";
}

/** Where a manifest's root is. */
export async function openedRoot(index: string, stored: string): Promise<string> {
  // An index may come from another system: `C:\\photos` is absolute there, and nothing below the index here.
  if (isAbsolute(stored) || win32.isAbsolute(stored) || isStoreAddress(stored)) return stored;
  // A folder that was copied into a store, with its images.
  if (isStoreAddress(index)) return `s3:/${posix.join(index.slice("s3:/".length), stored)}`;
  return resolve(await real(index), stored);
}

/** Whether two paths lead to one folder. */
export const isSameFolder = async (a: string, b: string): Promise<boolean> =>
  a === b || (await real(a)) === (await real(b));

/** Images whose bytes are compared before an index takes another root. */
const SAMPLE = 32;

/** Places of some of many, spread evenly from the first to the last. */
export const spreadPlaces = (count: number, most = SAMPLE): readonly number[] =>
  Array.from({ length: Math.min(count, most) }, (_, i) =>
    count <= most ? i : Math.round((i * (count - 1)) / (most - 1)),
  );

/** Some of many, spread evenly from the first to the last. */
export const spread = <T>(all: readonly T[], most = SAMPLE): readonly T[] =>
  spreadPlaces(all.length, most).map((place) => all[place]);

/**
 * Sees that the images of an index lie below a folder: of 32 of them, spread evenly, more have to be there byte for byte
 * than are others under the same name, and one at least. `index --check` compares all.
 * @throws `INDEX_MISMATCH`
 */
export async function requireImagesIn(
  root: string,
  images: readonly ImageRow[],
  index: string,
): Promise<void> {
  const sample = spread(images, SAMPLE);
  if (sample.length === 0) return;
  const states = await Promise.all(sample.map((image) => compareFile(root, image)));
  const count = (wanted: FileState) => states.filter((state) => state === wanted).length;
  if (count("same") > count("other")) return;
  const message = `${root} does not hold the images of the index ${index}: of ${sample.length} looked at, ${count("other")} have other bytes and ${count("missing")} are not there`;
  const hint =
    "Name the folder that its image paths start at, with --root if need be, or make another index with another --out.";
  throw new ClipInterpretError("INDEX_MISMATCH", message, { hint });
}

type FileState = "same" | "other" | "missing";

async function compareFile(root: string, { path: own, bytes, sha256 }: ImageRow): Promise<FileState> {
  if (!isPlain(root, own)) {
    const found = await hashPicture(root, own);
    return found === undefined ? "missing" : found === sha256 ? "same" : "other";
  }
  const path = join(root, own);
  const size = await stat(path).then(
    (entry) => (entry.isFile() ? entry.size : -1),
    () => undefined,
  );
  if (size === undefined) return "missing";
  if (size !== bytes) return "other";
  const found = await hashFile(path);
  return found === undefined ? "missing" : found === sha256 ? "same" : "other";
}

/** Paths of images, of a spread few, that are not there. */
export async function findMissing(
  root: string,
  images: readonly { readonly path: string }[],
): Promise<string[]> {
  const sample = spread(images, SAMPLE).map(({ path }) => path);
  const there = await Promise.all(
    sample.map((path) =>
      isPlain(root, path) ? isFile(join(root, path)) : whyUnreachable(root, path).then((why) => !why),
    ),
  );
  return sample.filter((_, i) => !there[i]);
}

const isPlain = (root: string, path: string) => typeof pictureOf(root, path) === "string";

/** SHA-256 (hex) of a picture of an index; undefined where it cannot be read. @throws `STORE_DENIED`, `STORE_UNREACHABLE` */
export async function hashPicture(root: string, path: string): Promise<string | undefined> {
  if (isPlain(root, path)) return hashFile(join(root, path));
  try {
    return sha256Of(await readPicture(root, path));
  } catch (error) {
    if (isOfStore(error)) throw error;
    return undefined;
  }
}

/** SHA-256 (hex) of a file; undefined where it cannot be read. */
async function hashFile(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest("hex");
  } catch {
    return undefined;
  }
}

/**
 * What to say where pictures that are to be shown are not where an index says; undefined where all are.
 * @param missing their paths
 */
export function missingPictures(
  { folder, manifest }: { readonly folder: string; readonly manifest: { readonly root: string } },
  missing: readonly string[],
): string | undefined {
  if (missing.length === 0) return undefined;
  const pictures = missing.length === 1 ? "1 picture" : `${missing.length} pictures`;
  return `${pictures} of ${folder} cannot be read in ${manifest.root} (${missing[0]}${missing.length > 1 ? ", …" : ""}); if they moved, say where to with --root, or run \`index\` on that folder`;
}
