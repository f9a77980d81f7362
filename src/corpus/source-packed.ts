/** Images inside of files: what archives and tables of a source hold, in the place of each. */
import { extname } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { ArchiveDamaged, type Member, membersOf, readerOf } from "./archive.ts";
import { memberPath, rowPath } from "./picture.ts";
import { isOthers, isReadableName } from "./picture-names.ts";
import {
  countOther,
  type FactorValue,
  type PassedOver,
  type Source,
  type SourceImage,
} from "./source-image.ts";
import { tableRows } from "./source-table.ts";
import type { Store } from "./store.ts";
import { storeAt } from "./store-at.ts";

/** Files of a sample that say something of it; a longer one is none of them. */
const MOST_TEXT = 1 << 20;
/** Of a caption, so that the list of images stays small. */
const MOST_CAPTION = 2000;

/** The source with the images that its archives and tables hold in the place of each. @throws what reading a store throws */
export async function unpacked(source: Source, report?: Report): Promise<Source> {
  if (!source.images.some(({ path }) => isPacked(path))) return source;
  const store = storeAt(source.root);
  const passed: PassedOver = { hidden: source.passed?.hidden ?? 0, others: { ...source.passed?.others } };
  const archives = new Set(source.images.map(({ path }) => path.toLowerCase()));
  const images: SourceImage[] = [];
  for (const image of source.images) {
    if (!isPacked(image.path) || image.unread || image.refused) images.push(image);
    else if (extname(image.path).toLowerCase() === ".tar") {
      for await (const found of inArchive(store, image, passed, report)) images.push(found);
    }
    // Beside an archive a table says of its images what their own files say too.
    else if (archives.has(image.path.toLowerCase().replace(/\.parquet$/, ".tar")))
      countOther(passed, ".parquet");
    else for await (const found of inTable(store, image, passed)) images.push(found);
  }
  return { ...source, images, passed };
}

/** Whether images are inside of a file, by its name. */
export const isPacked = (path: string): boolean => /\.(tar|parquet)$/i.test(path);

/** What an archive or table has in place of images where it cannot be read, or not to its end. */
const verdict = (image: SourceImage, message: string): SourceImage => ({
  ...{ path: image.path, bytes: image.bytes, label: null, factors: {} },
  ...(image.mtime !== undefined && { mtime: image.mtime }),
  refused: { code: "ARCHIVE_DAMAGED", message: `${image.path}: ${message}` },
});

async function* inArchive(
  store: Store,
  image: SourceImage,
  passed: PassedOver,
  report: Report | undefined,
): AsyncGenerator<SourceImage, void, undefined> {
  const size = image.bytes || ((await store.size(image.path)) ?? 0);
  const read = readerOf(store, image.path, size);
  let sample: { readonly key: string; readonly members: Member[] } | undefined;
  let unreadable = 0;
  const finish = async function* () {
    if (!sample) return;
    const { members } = sample;
    const pictures = members.filter(({ name }) => isReadableName(name));
    const said = pictures.length === 0 ? undefined : await saidOf(members, read);
    if (said?.damaged) unreadable++;
    for (const { name, offset, length } of pictures) {
      const factors = { ...image.factors, ...(said?.caption != null && { caption: said.caption }) };
      const label = said?.label ?? (image.listed ? image.label : null);
      yield { path: memberPath(image.path, offset, length, name), bytes: length, label, factors };
    }
    for (const { name } of members)
      if (!isReadableName(name) && !SAYS.has(extname(name).toLowerCase())) countOther(passed, kindIn(name));
  };
  try {
    for await (const member of membersOf(read, size)) {
      const [base] = member.name.split("/").slice(-1);
      if (isOthers(base) || base === "") {
        passed.hidden++;
        continue;
      }
      const folder = member.name.slice(0, -base.length);
      const key = folder + base.split(".", 1)[0];
      if (sample?.key !== key) {
        yield* finish();
        sample = { key, members: [] };
      }
      sample.members.push(member);
      // What is no sample any more: files of one name without end.
      if (sample.members.length >= 1000) {
        yield* finish();
        sample = undefined;
      }
    }
    yield* finish();
  } catch (error) {
    if (!(error instanceof ArchiveDamaged)) throw error;
    yield* finish();
    yield verdict(image, error.message);
  }
  if (unreadable > 0) {
    const message = `${image.path}: ${unreadable} .json files of samples cannot be read; their images are taken without`;
    report?.({ type: "warning", code: "LIST_INVALID", message });
  }
}

const SAYS = new Set([".json", ".txt", ".cls"]);
const kindIn = (name: string) => extname(name).toLowerCase() || "without extension";

/** What the files of a sample say of its images. */
async function saidOf(members: readonly Member[], read: (offset: number, length: number) => Promise<Buffer>) {
  const said: { label: string | null; caption: string | null; damaged: boolean } = {
    ...{ label: null, caption: null, damaged: false },
  };
  for (const { name, offset, length } of members) {
    const kind = extname(name).toLowerCase();
    if (!SAYS.has(kind) || length > MOST_TEXT) continue;
    const text = (await read(offset, length))
      .toString("utf8")
      .replace(/^\ufeff/, "")
      .trim();
    if (kind === ".cls") said.label = text || said.label;
    else if (kind === ".txt") said.caption = captionOf(text) ?? said.caption;
    else {
      const json = parsed(text);
      if (!json) said.damaged = true;
      said.label ??= wordOf(json?.label) ?? wordOf(json?.class) ?? wordOf(json?.cls);
      said.caption ??= typeof json?.caption === "string" ? captionOf(json.caption) : null;
    }
  }
  return said;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return undefined;
  }
}

const wordOf = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : null;
const captionOf = (text: string): string | null => text.slice(0, MOST_CAPTION) || null;

async function* inTable(
  store: Store,
  image: SourceImage,
  passed: PassedOver,
): AsyncGenerator<SourceImage, void, undefined> {
  let row = 0;
  try {
    for await (const { key, label, caption } of tableRows(store, image.path)) {
      const factors: Record<string, FactorValue> = { ...image.factors };
      if (caption !== null) factors.caption = captionOf(caption);
      // Of what length an image is, only its own column says.
      yield {
        ...{ path: rowPath(image.path, row++, key.replaceAll(/[\p{Cc}/\\]/gu, "_").slice(0, 200)), bytes: 0 },
        ...{ label: label ?? (image.listed ? image.label : null), factors },
      };
    }
  } catch (error) {
    if (!(error instanceof ClipInterpretError) || error.code !== "LIST_INVALID") throw error;
    // A folder may hold tables of anything.
    if (row === 0 && !image.listed) countOther(passed, ".parquet");
    else yield verdict(image, messageOf(error));
  }
}
