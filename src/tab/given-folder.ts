/** A folder that a page was given: which of its files are pictures, and the list of them that is kept beside them. */
import { z } from "zod";
import type { WritableStore } from "../corpus/plain-store.ts";
import { imageId } from "../corpus/rows.ts";
import { type GivenFile, sourceOfFiles } from "../corpus/source-files.ts";
import type { PassedOver, SourceImage } from "../corpus/source-image.ts";
import { ClipInterpretError, type ErrorCode } from "../support/errors.ts";
import { parseJson } from "../support/json.ts";
import { slugOf } from "../support/slug.ts";

/** Pictures of a folder. */
const MOST_PICTURES = 10_000;
/** Bytes of a picture's file. */
const MOST_BYTES = 64e6;
const LIST = "folder.json";
/** Kinds of files that are named where none of them is a picture. */
const MOST_KINDS = 6;

const factors = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const listSchema = z.object({
  title: z.string(),
  images: z.array(
    z.object({
      ...{ path: z.string(), bytes: z.number(), mtime: z.number(), label: z.string().nullable(), factors },
      refused: z.object({ code: z.custom<ErrorCode>(), message: z.string() }).optional(),
    }),
  ),
  passed: z.object({ hidden: z.number(), others: z.record(z.string(), z.number()) }),
});

/** Pictures of a folder, and what of it is none. */
export interface Folder {
  readonly title: string;
  readonly images: readonly SourceImage[];
  readonly passed: PassedOver;
  /** Those that are taken, by their ids. */
  readonly byId: ReadonlyMap<string, SourceImage>;
  /** Its files, until they are kept. */
  given?: ReadonlyMap<string, GivenFile["file"]>;
}

/** What a folder's files are. @throws `NO_IMAGES`, `PICTURES_TOO_MANY` */
export async function folderOfFiles(title: string, files: readonly GivenFile[]): Promise<Folder> {
  const { images, passed = { hidden: 0, others: {} } } = await sourceOfFiles(title, files);
  const checked = images.map((image) =>
    image.bytes <= MOST_BYTES || image.refused ? image : { ...image, refused: tooLong(image) },
  );
  const byId = idsOf(checked);
  const taken = byId.size;
  if (taken > MOST_PICTURES) {
    const [found, most] = [taken, MOST_PICTURES].map((count) => count.toLocaleString("en"));
    throw new ClipInterpretError("PICTURES_TOO_MANY", `“${title}” has ${found} pictures; ${most} are taken`);
  }
  if (taken === 0) {
    const kinds = Object.entries(passed.others).map(([kind, count]) => `${count} ${kind}`);
    const why = checked[0]?.refused?.message ?? kinds.slice(0, MOST_KINDS).join(", ");
    throw new ClipInterpretError("NO_IMAGES", `no pictures in “${title}”${why && `: ${why}`}`, {
      hint: "Drop pictures, or a folder of them. Lists of pictures (.txt, .csv, .jsonl) and archives are read by the command: clip-interpret index LIST.",
    });
  }
  const given = new Map(files.map(({ path, file }) => [path, file]));
  return { title, images: checked, byId, passed, given };
}

/** Reads the list of a folder that is kept; undefined where all of it is not there. */
export async function readFolder(store: WritableStore, name: string): Promise<Folder | undefined> {
  const file = `${name}/${LIST}`;
  if ((await store.size(file)) === undefined) return undefined;
  const parsed = listSchema.safeParse(parseJson(await store.read(file), file));
  if (!parsed.success) return undefined;
  const images = parsed.data.images as SourceImage[];
  return { ...parsed.data, images, byId: idsOf(images) };
}

const idsOf = (images: readonly SourceImage[]): Folder["byId"] =>
  new Map(images.filter(({ refused }) => !refused).map((image) => [imageId(image.path), image]));

/** Keeps the list, once all pictures are kept. @param store the folder's own */
export async function writeFolder(store: WritableStore, { title, images, passed }: Folder): Promise<void> {
  const list = JSON.stringify({ title, images, passed });
  await store.put(LIST, [new TextEncoder().encode(list)]);
}

const tooLong = ({ path, bytes }: SourceImage) => ({
  code: "UPLOAD_TOO_LARGE" as const,
  message: `${path} has ${inMegabytes(bytes)}; ${inMegabytes(MOST_BYTES)} are taken`,
});

/** `12 MB`. */
export const inMegabytes = (bytes: number) =>
  `${Math.max(1, Math.round(bytes / 1e6)).toLocaleString("en")} MB`;

/** `own-holiday-photos`: what a folder is called in addresses. */
export function freeName(title: string, taken: ReadonlyMap<string, unknown>): string {
  const base = `own-${slugOf(title).slice(0, 30) || "pictures"}`.replace(/-+$/, "");
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!taken.has(name)) return name;
  }
}
