/**
 * Parts of an index, each made by a process of its own on any machine, and put together when all are finished. A part is an
 * index in `parts/K-of-N`; which images it has follows from their paths alone, so nobody hands them out, and images that are
 * added later move nothing.
 */
import { createHash } from "node:crypto";
import { relative, resolve } from "node:path";
import type { ClipModel } from "../model/clip-model.ts";
import { atOnce } from "../support/at-once.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { type BuildOptions, buildIndex, claimIndex, eachShardRows, readRejected } from "./build.ts";
import { findChanges } from "./changes.ts";
import { differences, type Manifest, originOf, requireSameOrigin } from "./manifest.ts";
import { readManifest, writeManifest } from "./manifest-file.ts";
import { dropPaths } from "./prune.ts";
import { placeShard } from "./put-shard.ts";
import { shardFolder } from "./read-shard.ts";
import { isSameFolder } from "./root.ts";
import type { RejectedRow } from "./rows.ts";
import { removeUnlisted } from "./shard-list.ts";
import type { Source, SourceImage } from "./source.ts";
import type { Store } from "./store.ts";
import { isStoreAddress, storeAt } from "./store-at.ts";
import { readUnread, writeUnread } from "./unread.ts";

/** One of `of` parts, counted from 1. */
export interface Part {
  readonly number: number;
  readonly of: number;
}

/** The folder of parts in an index. */
export const PARTS = "parts";
/** Written into a part when all of it is there. */
const FINISHED = "finished.json";
/** Says how many parts there are. */
const DIVISION = `${PARTS}/division.json`;
/** More parts than any scheduler's array has tasks. */
const MOST = 100_000;
/** Questions to a store at a time. */
const AT_ONCE = 16;

/** Reads `3/8`. @throws `USAGE` */
export function parsePart(text: string): Part {
  const [, number, of] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? []).map(Number);
  if (number === undefined || number > of || of > MOST) {
    throw new ClipInterpretError("USAGE", `--part takes K/N with 1 ≤ K ≤ N ≤ ${MOST}, not "${text}"`);
  }
  return { number, of };
}

/** Which of `of` parts an image is in. */
export const partOf = (path: string, of: number): number =>
  1 + (createHash("sha256").update(path).digest().readUInt32BE(0) % of);

const nameOf = ({ number, of }: Part) => `${number}-of-${of}`;
const partStore = (store: Store, part: Part) => store.within(`${PARTS}/${nameOf(part)}`);

/**
 * Computes one part of an index: what of the source is in it and not in the index yet. The last part to be finished puts
 * all of them together. Killed at any moment, the same call goes on.
 * @throws what {@link buildIndex} throws; `INDEX_MISMATCH` where the parts that are there are of another number
 * @returns what the part holds, or the index where it was put together, and the parts that are not finished yet
 */
export async function buildPart(
  model: ClipModel,
  source: Source,
  folder: string,
  part: Part,
  options: BuildOptions = {},
) {
  const store = storeAt(folder);
  await requireDivision(store, part.of);
  const whole = await readManifest(store);
  const { added, unread } = await findChanges(source, eachShardRows(store, whole), options);
  const images = [...added, ...unread].filter(({ path }) => partOf(path, part.of) === part.number);
  const own = partStore(store, part);
  await own.remove(FINISHED);
  const form = whole && { dtype: whole.dtype, mlps: whole.mlps };
  const built = await buildIndex(model, { ...source, images }, own.where, { ...form, ...options });
  await own.put(FINISHED, [Buffer.from(`${JSON.stringify(part)}\n`)]);
  const missing = await unfinished(store, part.of);
  if (missing.length > 0) return { ...built, missing };
  return { ...(await mergeParts(folder, options)), missing };
}

/** Images of a part, written down before it is computed, and where they start. */
export interface PlannedPart {
  readonly part: Part;
  readonly images: number;
}

/**
 * Claims an index and writes down which images each part of it has, so that who computes a part reads nothing else: no
 * folder is looked through twice, and what comes or goes meanwhile moves nothing. A plan that is there already, whoever
 * made it, is kept, and so is its number of parts.
 * @returns the parts that are planned; none where the index has all images
 * @throws what {@link buildIndex} throws before it computes
 */
export async function planParts(
  model: ClipModel,
  source: Source,
  folder: string,
  of: number | undefined,
  options: BuildOptions = {},
): Promise<readonly PlannedPart[]> {
  const plan = async (store: Store): Promise<readonly PlannedPart[]> => {
    const manifest = await claimIndex(model, source, store, options);
    const { added, unread } = await findChanges(source, eachShardRows(store, manifest), options);
    let many = await divisionOf(store);
    if (many === undefined) {
      if (added.length === 0) return [];
      const wanted = Math.min(of ?? partsFor(added.length), added.length);
      many = (await claimDivision(store, wanted)) ?? wanted;
    }
    const shares = new Map<number, SourceImage[]>();
    for (let number = 1; number <= many; number++) shares.set(number, []);
    for (const image of [...added, ...unread]) shares.get(partOf(image.path, many))!.push(image);
    const division = many;
    return atOnce(AT_ONCE, [...shares], async ([number, images]) => {
      const part = { number, of: division };
      const known = await readPlan(store, part);
      if (!known) await writePlan(store, part, { root: source.root, images });
      return { part, images: (known?.images ?? images).length };
    });
  };
  return storeAt(folder).exclusive(plan, options);
}

/**
 * Parts where nobody says how many: of 1024 images, for which loading the model is a hundredth of the work; of few images eight,
 * so that several machines have something to do, but none of less than 64.
 */
const partsFor = (images: number) =>
  Math.min(Math.max(Math.ceil(images / 1024), Math.min(8, Math.ceil(images / 64))), MOST);

/**
 * Computes a part that {@link planParts} planned. Done again, before or after the parts were put together, it finds
 * nothing to do.
 * @returns parts that are not finished, one at most; none where the index is complete. What the part holds, if it was computed
 */
export async function buildPlanned(
  model: ClipModel,
  folder: string,
  part: Part,
  options: BuildOptions = {},
): Promise<{ readonly missing: readonly number[]; readonly images: number; readonly rejected: number }> {
  const store = storeAt(folder);
  const whole = await requireManifest(store);
  requireSameOrigin(whole, await originOf(model, options.exif ?? true), store.where);
  const planned = await readPlan(store, part);
  // Put together already: this is a second process with the same part, and a late one.
  const nothing = { missing: [], images: 0, rejected: 0 };
  if (!planned) return nothing;
  const own = partStore(store, part);
  let made = nothing;
  if ((await own.size(FINISHED)) === undefined) {
    const { dtype, mlps } = whole;
    const { images, rejected } = await buildIndex(model, planned, own.where, { ...options, dtype, mlps });
    made = { ...nothing, images, rejected };
    if ((await store.size(planFile(part))) === undefined) return made;
    await own.put(FINISHED, [Buffer.from(`${JSON.stringify(part)}\n`)]);
  }
  const missing = await unfinished(store, part.of, 1);
  if (missing.length > 0) return { ...made, missing };
  try {
    await mergeParts(folder, options);
  } catch (error) {
    if (!(error instanceof ClipInterpretError && error.code === "PARTS_MISSING")) throw error;
    return { ...made, missing: await unfinished(store, part.of, 1) };
  }
  return { ...made, missing };
}

/** Parts that are planned and not finished; undefined where no plan is there, because all was put together. */
export async function unfinishedParts(folder: string): Promise<readonly Part[] | undefined> {
  const store = storeAt(folder);
  const of = await divisionOf(store);
  if (of === undefined) return undefined;
  return (await unfinished(store, of)).map((number) => ({ number, of }));
}

const planFile = (part: Part) => `${PARTS}/${nameOf(part)}.jsonl`;

/** A line for the root, then one an image. */
async function writePlan(store: Store, part: Part, { root, images }: Source): Promise<void> {
  const lines = [{ root }, ...images].map((line) => `${JSON.stringify(line)}\n`);
  await store.put(planFile(part), [Buffer.from(lines.join(""))]);
}

async function readPlan(store: Store, part: Part): Promise<Source | undefined> {
  if ((await store.size(planFile(part))) === undefined) return undefined;
  const [head, ...lines] = (await store.read(planFile(part))).toString("utf8").trimEnd().split("\n");
  const { root } = JSON.parse(head) as { root: string };
  return { root, images: lines.map((line) => JSON.parse(line) as SourceImage) };
}

/**
 * Puts the finished parts of an index together: their shards are copied, then listed in one step, then the parts are removed.
 * An image that the index holds already, because another run indexed it meanwhile, is not taken twice.
 * @throws `PARTS_MISSING`, `INDEX_MISMATCH`, `INDEX_CORRUPT`, `OUTPUT_UNWRITABLE`, `DISK_FULL`, `CANCELLED`
 */
export async function mergeParts(folder: string, options: WorkOptions = {}) {
  return storeAt(folder).exclusive((store) => merge(store, options), options);
}

async function merge(store: Store, { report, signal }: WorkOptions) {
  const found = await readManifest(store);
  if (found) await removeUnlisted(store, found);
  const of = await divisionOf(store);
  // Where another process was faster there is nothing left to do.
  if (of === undefined && !found) throw partsMissing(`${store.where} has no parts`);
  const missing = of === undefined ? [] : await unfinished(store, of);
  if (missing.length > 0) {
    const named = `${missing.slice(0, 10).join(", ")}${missing.length > 10 ? ", …" : ""}`;
    throw partsMissing(
      `of ${of} parts in ${store.where} ${missing.length === 1 ? "one is" : `${missing.length} are`} not finished: ${named}`,
    );
  }
  // All that were wanted, not those that a listing shows: that of a store may be late.
  const parts = Array.from({ length: of ?? 0 }, (_, i): Part => ({ number: i + 1, of: of! }));
  let manifest = found;
  const held =
    found && of !== undefined ? await pathsByPart(store, found, of) : new Map<number, Set<string>>();
  const unread: RejectedRow[] = [];
  const task = "putting parts together";
  report?.({ type: "start", task, unit: "part", total: parts.length });
  let [done, added] = [0, 0];
  for (const part of parts) {
    const from = partStore(store, part);
    let own = await requireManifest(from);
    manifest ??= { ...own, ...placedIn(store, from, own), shards: [] };
    await requireAlike(manifest, own, from);
    const paths = held.get(part.number);
    if (paths !== undefined) {
      const twice = new Set<string>();
      for await (const rows of eachShardRows(from, own))
        for (const { path } of rows) if (paths.has(path)) twice.add(path);
      if (twice.size > 0) ({ manifest: own } = await dropPaths(from, own, twice));
    }
    for (const entry of own.shards) {
      checkCancelled(signal);
      const files = new Map<string, readonly Uint8Array[]>();
      for (const [file, { sha256 }] of Object.entries(entry.files)) {
        const name = `${shardFolder(entry.name)}/${file}`;
        // Of two who computed it at once, one may have taken away what the other lists: it is computed again.
        if ((await from.size(name)) === undefined) {
          await from.remove(FINISHED);
          throw partsMissing(`part ${part.number} of ${part.of} in ${store.where} lacks ${name}`);
        }
        const bytes = await from.read(name);
        if (sha256Of(bytes) !== sha256) throw damaged(from, entry.name, part);
        files.set(file, [bytes]);
      }
      const { name: _, ...described } = entry;
      const placed = await placeShard(store, manifest, files, described);
      manifest = { ...manifest, shards: [...manifest.shards, placed] };
      added += entry.images + entry.rejected;
    }
    for (const row of await readUnread(from)) unread.push(row);
    report?.({ type: "advance", task, done: ++done, total: parts.length });
  }
  report?.({ type: "end", task, done });
  const merged = manifest!;
  if (parts.length > 0) {
    await writeManifest(store, merged);
    await writeUnread(store, unread);
    await store.remove(PARTS);
  }
  const total = (key: "images" | "rejected") => merged.shards.reduce((sum, shard) => sum + shard[key], 0);
  return {
    folder: store.where,
    root: merged.root,
    movedFrom: null,
    images: total("images"),
    rejected: total("rejected"),
    ...(await readRejected(store, merged)),
    unread,
    passedOver: { hidden: 0, others: {} },
    shards: merged.shards.length,
    added,
    changed: [],
    removed: [],
    pruned: false,
    repaired: [],
  };
}

/** What an index holds, by the part that it would be in: parts have no image in common, so that each is compared with its own. */
async function pathsByPart(store: Store, manifest: Manifest, of: number): Promise<Map<number, Set<string>>> {
  const parts = new Map<number, Set<string>>();
  for await (const rows of eachShardRows(store, manifest)) {
    for (const { path } of rows) {
      const number = partOf(path, of);
      const paths = parts.get(number) ?? new Set();
      parts.set(number, paths.add(path));
    }
  }
  return parts;
}

/** How many parts an index is divided into while there are parts. @throws `INDEX_INVALID` */
async function divisionOf(store: Store): Promise<number | undefined> {
  if ((await store.size(DIVISION)) === undefined) return undefined;
  const text = (await store.read(DIVISION)).toString("utf8");
  const of = /^\{"of":(\d+)\}\n$/.exec(text)?.[1];
  if (of !== undefined) return Number(of);
  throw new ClipInterpretError("INDEX_INVALID", `${store.where}/${DIVISION} is damaged`, {
    hint: `Remove ${store.where}/${PARTS} and run the parts again.`,
  });
}

/** Says how many parts there are, unless another has. @returns what the other said, if it did and still stands */
async function claimDivision(store: Store, of: number): Promise<number | undefined> {
  const claimed = await store.claim(DIVISION, [Buffer.from(`{"of":${of}}\n`)]);
  return claimed ? of : divisionOf(store);
}

/** The first part to begin says how many there are. @throws `INDEX_MISMATCH` where it said another number */
async function requireDivision(store: Store, of: number): Promise<void> {
  const other = await claimDivision(store, of);
  if (other === undefined || other === of) return;
  throw new ClipInterpretError(
    "INDEX_MISMATCH",
    `${store.where} has parts of ${other}, and this is one of ${of}`,
    {
      hint: `Finish those and run \`index --merge\`, or remove ${store.where}/${PARTS}.`,
    },
  );
}

/**
 * Numbers of the parts that are not finished.
 * @param most how many are enough; they are looked for from the last, which is finished last
 */
async function unfinished(store: Store, of: number, most = of): Promise<number[]> {
  let missing: number[] = [];
  for (let last = of; last > 0 && missing.length < most; last -= AT_ONCE) {
    const numbers = Array.from(
      { length: Math.min(AT_ONCE, last) },
      (_, i) => Math.max(1, last - AT_ONCE + 1) + i,
    );
    const sizes = await atOnce(AT_ONCE, numbers, (number) => partStore(store, { number, of }).size(FINISHED));
    missing = [...numbers.filter((_, i) => sizes[i] === undefined), ...missing];
  }
  return missing.slice(-most);
}

const partsMissing = (message: string) => new ClipInterpretError("PARTS_MISSING", message);

const damaged = (store: Store, shard: string, { number, of }: Part) =>
  new ClipInterpretError("INDEX_CORRUPT", `${store.where}/${shardFolder(shard)} is not what was written`, {
    hint: `Remove it and run the part ${number}/${of} again: it makes the shard anew.`,
  });

async function requireManifest(store: Store): Promise<Manifest> {
  const manifest = await readManifest(store);
  if (manifest) return manifest;
  throw new ClipInterpretError("INDEX_INVALID", `the part ${store.where} has no manifest`, {
    hint: "Run this part again.",
  });
}

/** Where the model lies, seen from the index that a part becomes part of. */
function placedIn(store: Store, from: Store, { model }: Manifest): Pick<Manifest, "model"> {
  if (!model.folder || model.folder.relative === null || isStoreAddress(store.where)) return { model };
  const way = relative(store.where, resolve(from.where, model.folder.relative)).replaceAll("\\", "/");
  return { model: { ...model, folder: { ...model.folder, relative: way } } };
}

/** @throws `INDEX_MISMATCH` where a part was made by another model, in another form, or of images elsewhere */
async function requireAlike(whole: Manifest, part: Manifest, from: Store): Promise<void> {
  // Where the model lies is said from each index's own folder.
  const { folder: _, ...model } = whole.model;
  requireSameOrigin(part, { ...whole, model }, from.where);
  const { layers, heads, headDim, embedDim, dtype, mlps, pooled, poolMlp } = whole;
  const other = differences(part, { layers, heads, headDim, embedDim, dtype, mlps, pooled, poolMlp });
  if (!(await isSameFolder(whole.root, part.root))) other.push(...differences(part, { root: whole.root }));
  if (other.length === 0) return;
  throw new ClipInterpretError("INDEX_MISMATCH", `the part ${from.where} is another: ${other.join(", ")}`, {
    hint: "Parts need the same options, and images under the same path; remove this one and run it again.",
  });
}
