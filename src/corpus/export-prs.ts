import { basename, join } from "node:path";
import { fromHalf } from "../math/half.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { mlpCount } from "../model/components.ts";
import type { Decomposition } from "../model/decomposition.ts";
import { denseHeads } from "../model/dense.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { formatNpy } from "../support/npy.ts";
import { formatNpyHeader } from "../support/npy-header.ts";
import { createNpyWriter, type NpyWriter } from "../support/npy-stream.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { folderStore } from "./folder-store.ts";
import { type Manifest, requireModelOf, type ShardEntry } from "./manifest.ts";
import type { Index } from "./open-index.ts";
import { shardFolder } from "./read-shard.ts";
import type { ImageRow } from "./rows.ts";
import type { Store } from "./store.ts";
import { storeAt } from "./store-at.ts";

/** Images at a time: their dense heads are what takes memory, 1.2 MB an image for an L/14. */
const BLOCK = 32;

/**
 * Writes an index as the dense arrays that the published scripts of "Interpreting CLIP's Image Representation via
 * Text-Based Decomposition" (`compute_prs.py`) write, under the names by which the scripts look for them:
 *
 * - `<index>_attn_<model>.npy` [n, L, H, D], float32: head contributions, summed over tokens, over ‖e‖;
 * - `<index>_mlp_<model>.npy` [n, L+1, D], float32: contributions of `embed` and of every MLP, over ‖e‖. Only from an
 *   index that keeps MLP terms, and no more exact than the float16 that it keeps them in;
 * - `<index>_labels.npy` [n], int64, and `<index>_classes.txt`, whose line k names class k, classes in the order of
 *   their names. Only where images have labels; −1 is an image without.
 *
 * `<index>` is the name of the index's folder, `<model>` that of its model, with `-` for what does not go into a file
 * name. `<index>_cls_attn_<model>.npy`, the part of the attention that the CLS token pays to itself, is never written:
 * it needs token terms, which an index does not hold.
 *
 * Memory is bounded by some tens of images, and 20 bytes for each; the float32 arrays appear when all are complete.
 *
 * @returns paths of the files written, in this order
 * @throws `INDEX_MISMATCH` for another model than the index's, `INDEX_CORRUPT`, `INPUT_UNREADABLE`,
 *   `OUTPUT_UNWRITABLE`, `DISK_FULL`, `CANCELLED`
 */
export async function exportPrs(
  index: Index,
  model: ClipModel,
  folder: string,
  { report, signal }: WorkOptions = {},
): Promise<string[]> {
  await requireModelOf(index, model);
  const { manifest, images } = index;
  const { layers, heads, embedDim } = manifest;
  const dataset = inFileName(basename(index.folder));
  const path = (array: string) => join(folder, `${dataset}_${array}_${inFileName(manifest.model.name)}.npy`);
  const shapes = new Map([[path("attn"), [images.length, layers, heads, embedDim]]]);
  if (manifest.mlps) shapes.set(path("mlp"), [images.length, mlpCount(manifest), embedDim]);
  const writers: NpyWriter[] = [];
  try {
    for (const [file, shape] of shapes) writers.push(await createNpyWriter(file, shape));
    const [attention, mlps] = writers;
    const task = "exporting";
    report?.({ type: "start", task, unit: "image", total: images.length });
    let done = 0;
    for await (const block of readBlocks(index)) {
      checkCancelled(signal);
      await attention.append(await denseHeads(model.matmul, model.geometry, block));
      await mlps?.append(block.mlps);
      done += block.count;
      report?.({ type: "advance", task, done, total: images.length });
    }
    const labels = await writeLabels(images, folder, dataset);
    for (const writer of writers) await writer.finish();
    report?.({ type: "end", task, done });
    return [...shapes.keys(), ...labels];
  } finally {
    for (const writer of writers) await writer.discard();
  }
}

const inFileName = (name: string) => name.replaceAll(/[^\w.+-]+/g, "-");

/** Writes the labels, if there are any. */
async function writeLabels(
  images: readonly ImageRow[],
  folder: string,
  dataset: string,
): Promise<readonly string[]> {
  const classes = [...new Set(images.flatMap(({ label }) => label ?? []))].sort();
  if (classes.length === 0) return [];
  const numbers = new Map(classes.map((name, i) => [name, BigInt(i)]));
  const data = BigInt64Array.from(images, ({ label }) => (label === null ? -1n : numbers.get(label)!));
  const lines = classes.map((name) => `${name.replaceAll(/[\r\n]+/g, " ")}\n`);
  const store = folderStore(folder);
  const [numbered, named] = [`${dataset}_labels.npy`, `${dataset}_classes.txt`];
  await store.put(numbered, [formatNpy({ shape: [images.length], data })]);
  await store.put(named, [Buffer.from(lines.join(""))]);
  return [join(folder, numbered), join(folder, named)];
}

/** What no head's contribution depends on. */
const UNREAD = { embedding: new Float32Array(0), error: new Float64Array(0) };

/** The images of an index in order, some at a time; MLP terms are empty where it keeps none. */
async function* readBlocks(index: Index): AsyncGenerator<Decomposition, void, undefined> {
  const store = storeAt(index.folder);
  const scalars = await index.scalars();
  let first = 0;
  for (const shard of index.manifest.shards) {
    if (shard.images === 0) continue;
    const read = await openShard(store, index.manifest, shard);
    for (let start = 0; start < shard.images; start += BLOCK) {
      const count = Math.min(BLOCK, shard.images - start);
      const scalar = (k: number) =>
        Float64Array.from({ length: count }, (_, i) => scalars[(first + start + i) * 3 + k]);
      const { z, mlps } = await read(start, count);
      yield { ...UNREAD, count, z, mlps, mu: scalar(0), sigma: scalar(1), norm: scalar(2) };
    }
    first += shard.images;
  }
}

/** A function that reads z [count, L, H, d_h] and MLP terms [count, L+1, D] of some images of a shard. */
async function openShard(store: Store, manifest: Manifest, shard: ShardEntry) {
  const { layers, heads, headDim, embedDim, dtype } = manifest;
  const units = layers * heads;
  const zShape = [layers, heads, shard.images, headDim];
  const z = await openNumbers(store, shard, "heads.npy", dtype === "float16" ? "<f2" : "<f4", zShape);
  const mlpWidth = mlpCount(manifest) * embedDim;
  const mlpShape = [shard.images, mlpCount(manifest), embedDim];
  const mlps = manifest.mlps ? await openNumbers(store, shard, "mlps.npy", "<f2", mlpShape) : undefined;
  return async (start: number, count: number) => {
    const byImage = new Float32Array(count * units * headDim);
    for (let unit = 0; unit < units; unit++) {
      // All images of one head lie together: here they are put beside their other heads.
      const run = await z((unit * shard.images + start) * headDim, count * headDim);
      for (let i = 0; i < count; i++) {
        byImage.set(run.subarray(i * headDim, (i + 1) * headDim), (i * units + unit) * headDim);
      }
    }
    return { z: byImage, mlps: (await mlps?.(start * mlpWidth, count * mlpWidth)) ?? new Float32Array(0) };
  };
}

/**
 * A function that reads numbers `start … start + count` of an array of a shard, as float32.
 * @throws `INDEX_CORRUPT` when the array is not of the type and shape expected
 */
async function openNumbers(
  store: Store,
  { name }: ShardEntry,
  file: string,
  descr: "<f2" | "<f4",
  shape: readonly number[],
): Promise<(start: number, count: number) => Promise<Float32Array>> {
  const path = `${shardFolder(name)}/${file}`;
  // The header is what writing the shard made of type and shape, byte for byte.
  const header = formatNpyHeader(descr, shape);
  if (!(await store.readRange(path, 0, header.length)).equals(header)) {
    const message = `${store.where}/${path} is not ${descr} [${shape.join(", ")}]`;
    throw new ClipInterpretError("INDEX_CORRUPT", message);
  }
  const width = descr === "<f2" ? 2 : 4;
  return async (start, count) => {
    const bytes = await store.readRange(path, header.length + start * width, count * width);
    const { buffer } = new Uint8Array(bytes);
    return descr === "<f2" ? fromHalf(new Uint16Array(buffer)) : new Float32Array(buffer);
  };
}
