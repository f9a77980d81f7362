import { mlpCount } from "../model/components.ts";
import { textOf } from "../support/binary.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { createSha256, sha256Of } from "../support/hash.ts";
import { parseNpyHeader } from "../support/npy-header.ts";
import type { Layout, ShardEntry } from "./manifest.ts";
import type { ReadableStore } from "./plain-store.ts";
import { type ImageRow, parseImageRows, parseRejectedRows, type RejectedRow } from "./rows.ts";
import { asFloats } from "./stored.ts";

/** What ends a line. */
export const NEWLINE = 10;

/** Where a shard's files lie. */
export const shardFolder = (name: string): string => `shards/${name}`;

const fileOf = ({ name }: Pick<ShardEntry, "name">, file: string) => `${shardFolder(name)}/${file}`;

const corrupt = (store: ReadableStore, name: string, why: string) =>
  new ClipInterpretError("INDEX_CORRUPT", `${store.where}/${name} ${why}`);

/** What an array holds is looked at by no repair: only where a shard is gone is it made again. */
const damaged = (store: ReadableStore, { name }: ShardEntry, file: string) =>
  new ClipInterpretError(
    "INDEX_CORRUPT",
    `${store.where}/${shardFolder(name)}/${file} does not hold what was written`,
    {
      hint: `Remove ${shardFolder(name)} there and run the \`index\` command again: it makes the shard anew.`,
    },
  );

/** The rows of a shard's images and of its rejected files. */
export interface ShardRows {
  readonly images: readonly ImageRow[];
  readonly rejected: readonly RejectedRow[];
}

/**
 * `images.jsonl` of a shard as it lies, with as many lines as the manifest says, and what messages call it. The checksum is compared
 * each time: nothing else would see a changed letter of a label.
 * @throws `INDEX_CORRUPT`, `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`
 */
export async function readRowBytes(
  store: ReadableStore,
  shard: ShardEntry,
): Promise<readonly [bytes: Uint8Array, where: string]> {
  const read = await readRowFile(store, shard, "images.jsonl");
  let lines = 0;
  for (let at = read[0].indexOf(NEWLINE); at >= 0; at = read[0].indexOf(NEWLINE, at + 1)) lines++;
  requireCounts(store, shard, { images: lines });
  return read;
}

/**
 * Reads a shard's rows, and compares their checksums.
 * @throws `INDEX_CORRUPT`, `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`
 */
export async function readShardRows(store: ReadableStore, shard: ShardEntry): Promise<ShardRows> {
  const read = async (file: "images.jsonl" | "rejected.jsonl") => {
    const [bytes, where] = await readRowFile(store, shard, file);
    return [textOf(bytes), where] as const;
  };
  const images = parseImageRows(...(await read("images.jsonl")));
  const rejected = parseRejectedRows(...(await read("rejected.jsonl")));
  requireCounts(store, shard, { images: images.length, rejected: rejected.length });
  return { images, rejected };
}

async function readRowFile(store: ReadableStore, shard: ShardEntry, file: "images.jsonl" | "rejected.jsonl") {
  const name = fileOf(shard, file);
  const bytes = await store.read(name);
  if (sha256Of(bytes) !== shard.files[file].sha256) throw corrupt(store, name, "is not what was written");
  return [bytes, `${store.where}/${name}`] as const;
}

function requireCounts(
  store: ReadableStore,
  shard: ShardEntry,
  counts: Partial<Pick<ShardEntry, "images" | "rejected">>,
): void {
  const known = { images: shard.images, rejected: shard.rejected, ...counts };
  if (known.images === shard.images && known.rejected === shard.rejected) return;
  throw corrupt(store, shardFolder(shard.name), "does not have the rows that the manifest says");
}

/**
 * Sees that all of a shard can be read: files of the lengths that the manifest says, arrays of its shapes. What they hold is not
 * looked at.
 * @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE`
 */
export async function requireWholeShard(
  store: ReadableStore,
  layout: Layout,
  shard: ShardEntry,
): Promise<void> {
  for (const [file, { bytes }] of Object.entries(shard.files)) {
    if ((await store.size(fileOf(shard, file))) === bytes) continue;
    throw corrupt(store, fileOf(shard, file), "is missing or has another length");
  }
  for (const array of arraysOf(layout, shard)) await openArray(store, shard, ...array);
}

/** The rows of a shard, if all of it can be read. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
export async function readWholeShard(
  store: ReadableStore,
  layout: Layout,
  shard: ShardEntry,
): Promise<ShardRows> {
  await requireWholeShard(store, layout, shard);
  return readShardRows(store, shard);
}

/** Files whose bytes are not those that the manifest's checksums say; reads everything. */
export async function findCorruption(store: ReadableStore, shard: ShardEntry): Promise<string[]> {
  const PIECE = 1 << 26;
  const wrong: string[] = [];
  for (const [file, { bytes, sha256 }] of Object.entries(shard.files)) {
    const name = fileOf(shard, file);
    const hash = createSha256();
    const whole = (await store.size(name)) === bytes;
    for (let at = 0; whole && at < bytes; at += PIECE) {
      hash.update(await store.readRange(name, at, Math.min(PIECE, bytes - at)));
    }
    if (!whole || hash.digest() !== sha256) wrong.push(name);
  }
  return wrong;
}

/** The arrays of a shard. */
function arraysOf(layout: Layout, { images }: ShardEntry): [file: string, descr: string, shape: number[]][] {
  const { layers, heads, headDim, embedDim, dtype, mlps, pooled } = layout;
  const side = headDim + 4;
  const also = (file: string, descr: string, shape: number[]): [string, string, number[]] => [
    file,
    descr,
    shape,
  ];
  return [
    ["heads.npy", dtype === "float16" ? "<f2" : "<f4", [layers, heads, images, headDim]],
    ["scalars.npy", "<f4", [images, 3]],
    ["embedding.npy", "<f4", [images, embedDim]],
    pooled
      ? also("sums.npy", "<f8", [layers, heads, side])
      : also("moments.npy", "<f8", [layers, heads, side, side]),
    ...(mlps ? [also("mlps.npy", "<f2", [images, mlpCount(layout), embedDim])] : []),
  ];
}

const HEADER_BYTES = 256;

/** One array of a shard: where its numbers start. @throws `INDEX_CORRUPT` when it is not of the shape expected */
async function openArray(
  store: ReadableStore,
  shard: ShardEntry,
  file: string,
  descr: string,
  shape: readonly number[],
) {
  const name = fileOf(shard, file);
  const size = (await store.size(name)) ?? 0;
  const start = await store.readRange(name, 0, Math.min(size, HEADER_BYTES));
  let header: ReturnType<typeof parseNpyHeader>;
  try {
    header = parseNpyHeader(start, size, name);
  } catch (cause) {
    throw new ClipInterpretError("INDEX_CORRUPT", `${store.where}/${name} is damaged`, { cause });
  }
  if (header.descr !== descr || header.shape.join() !== shape.join()) {
    const wanted = `${descr} [${shape.join(", ")}]`;
    throw corrupt(store, name, `is ${header.descr} [${header.shape.join(", ")}], not ${wanted}`);
  }
  return { name, dataStart: header.dataStart };
}

/**
 * z of one head for all images of a shard, [n, d_h], as float32. A head is a part of a file, so no checksum tells whether it
 * is what was written; that the moments, which come from the same numbers, have the same sums does.
 * @param scales of the shard's images, as `imageScales` gives them
 * @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE`
 */
export async function readCheckedHead(
  store: ReadableStore,
  layout: Layout,
  shard: ShardEntry,
  at: { readonly layer: number; readonly head: number; readonly scales: Float64Array },
): Promise<Float32Array> {
  const { layer, head, scales } = at;
  const { headDim } = layout;
  const z = asFloats(await readHead(store, layout, shard, layer, head));
  const sums = await readSums(store, layout, shard, layer, head);
  const sum = new Float64Array(headDim);
  const size = new Float64Array(headDim);
  for (let image = 0, i = 0; image < shard.images; image++) {
    const scale = scales[image * 3];
    for (let d = 0; d < headDim; d++, i++) {
      const value = z[i] * scale;
      sum[d] += value;
      size[d] += Math.abs(value);
    }
  }
  for (let d = 0; d < headDim; d++) {
    if (!(Math.abs(sum[d] - sums[d]) <= SUMS_TOLERANCE * size[d]))
      throw damaged(store, shard, layout.pooled ? "heads.npy (or sums.npy)" : "heads.npy (or moments.npy)");
  }
  return z;
}

/** Of a sum of rounded products, over the sum of their sizes; the last bit of one number of thousands is more. */
const SUMS_TOLERANCE = 1e-10;

/** Σ z̃ of one head over a shard, [m + 1]: the last row of its moments, or all that is kept of them. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
async function readSums(
  store: ReadableStore,
  { layers, heads, headDim, pooled }: Layout,
  shard: ShardEntry,
  layer: number,
  head: number,
): Promise<Float64Array> {
  const side = headDim + 4;
  const unit = layer * heads + head;
  const [file, shape, row] = pooled
    ? (["sums.npy", [layers, heads, side], unit * side] as const)
    : (["moments.npy", [layers, heads, side, side], (unit * side + side - 1) * side] as const);
  const { name, dataStart } = await openArray(store, shard, file, "<f8", shape);
  return new Float64Array(aligned(await store.readRange(name, dataStart + row * 8, side * 8)));
}

/** z of one head for all images of a shard, [n, d_h], as stored and unchecked. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
export async function readHead(
  store: ReadableStore,
  { layers, heads, headDim, dtype }: Layout,
  shard: ShardEntry,
  layer: number,
  head: number,
): Promise<Uint16Array | Float32Array> {
  const half = dtype === "float16";
  const width = half ? 2 : 4;
  const shape = [layers, heads, shard.images, headDim];
  const { name, dataStart } = await openArray(store, shard, "heads.npy", half ? "<f2" : "<f4", shape);
  const run = shard.images * headDim;
  const offset = dataStart + (layer * heads + head) * run * width;
  const bytes = await store.readRange(name, offset, run * width);
  return half ? new Uint16Array(aligned(bytes)) : new Float32Array(aligned(bytes));
}

/** A whole float array of a shard. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
export async function readFloats(
  store: ReadableStore,
  shard: ShardEntry,
  file: "scalars.npy" | "embedding.npy",
  shape: readonly number[],
): Promise<Float32Array> {
  return new Float32Array(await readArray(store, shard, file, "<f4", shape));
}

/** The moments of a shard, [L, H, m+1, m+1]. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
export async function readMoments(
  store: ReadableStore,
  { layers, heads, headDim }: Layout,
  shard: ShardEntry,
): Promise<Float64Array> {
  const side = headDim + 4;
  return new Float64Array(await readArray(store, shard, "moments.npy", "<f8", [layers, heads, side, side]));
}

/** The MLP terms of a shard, [n, L+1, D] as float16 bits. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
export async function readMlps(
  store: ReadableStore,
  layout: Layout,
  shard: ShardEntry,
): Promise<Uint16Array> {
  const shape = [shard.images, mlpCount(layout), layout.embedDim];
  return new Uint16Array(await readArray(store, shard, "mlps.npy", "<f2", shape));
}

/** A whole array, whose file is what was written. @throws `INDEX_CORRUPT`, `INPUT_UNREADABLE` */
async function readArray(
  store: ReadableStore,
  shard: ShardEntry,
  file: string,
  descr: string,
  shape: readonly number[],
) {
  const { name, dataStart } = await openArray(store, shard, file, descr, shape);
  const size = (await store.size(name)) ?? 0;
  const hash = createSha256();
  hash.update(await store.readRange(name, 0, dataStart));
  const bytes = await store.readRange(name, dataStart, size - dataStart);
  hash.update(bytes);
  if (hash.digest() !== shard.files[file].sha256) throw damaged(store, shard, file);
  return aligned(bytes);
}

/** The bytes in memory of their own. */
const aligned = (bytes: Uint8Array<ArrayBuffer>): ArrayBuffer =>
  bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length
    ? bytes.buffer
    : Uint8Array.from(bytes).buffer;
