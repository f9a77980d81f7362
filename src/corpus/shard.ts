import { addOuter, mirror } from "../math/moments.ts";
import { mlpCount } from "../model/components.ts";
import { coordinateCount, setCoordinates } from "../model/head-space.ts";
import { formatNpyHeader } from "../support/npy-header.ts";
import type { Layout } from "./manifest.ts";
import { formatRows, type ImageRow, type RejectedRow } from "./rows.ts";
import { asFloats, bytesOf, type StoredBatch } from "./stored.ts";

/** A part of an index being put together in memory, in the layout of its files. */
export interface ShardBuilder {
  readonly images: number;
  /** Appends a batch with its images' rows. */
  add(batch: StoredBatch, rows: readonly ImageRow[]): void;
  reject(rows: readonly RejectedRow[]): void;
  /** The shard's files, as views of its memory. */
  files(): ReadonlyMap<string, readonly Uint8Array[]>;
}

/**
 * Starts a shard of at most `capacity` images. It takes `capacity` · L · H · d_h numbers of memory, and little else.
 *
 * Its files depend on the images and their order alone. Moments are of what is stored, not of what was computed:
 * Σ [z̃;1][z̃;1]ᵀ (of contributions Σ [z̃;1] alone) over z̃ = [z/(σ‖e‖), 1/(σ‖e‖), μ/(σ‖e‖), 1/‖e‖], summed in the order of the images.
 */
export function createShard(layout: Layout, capacity: number): ShardBuilder {
  const { layers, heads, headDim, embedDim, dtype, pooled, mlps: keepsMlps } = layout;
  const others = mlpCount(layout);
  const units = layers * heads;
  const perImage = units * headDim;
  const z =
    dtype === "float16" ? new Uint16Array(capacity * perImage) : new Float32Array(capacity * perImage);
  const scalars = new Float32Array(capacity * 3);
  const embedding = new Float32Array(capacity * embedDim);
  const mlps = new Uint16Array(keepsMlps ? capacity * others * embedDim : 0);
  const side = coordinateCount(layout) + 1;
  const moments = new Float64Array(pooled ? units * side : units * side * side);
  const coordinates = new Float64Array(side - 1);
  const images: ImageRow[] = [];
  const rejected: RejectedRow[] = [];

  const addMoments = (values: Float32Array, [mu, sigma, norm]: Float32Array) => {
    for (let unit = 0; unit < units; unit++) {
      setCoordinates(coordinates, values, unit * headDim, { mu, sigma, norm });
      if (pooled) {
        for (let i = 0; i < side - 1; i++) moments[unit * side + i] += coordinates[i];
        moments[(unit + 1) * side - 1] += 1;
      } else addOuter(moments, unit * side * side, coordinates);
    }
  };

  return {
    get images() {
      return images.length;
    },
    add(batch, rows) {
      const first = images.length;
      const floats = asFloats(batch.z);
      for (let image = 0; image < batch.count; image++) {
        const start = image * perImage;
        // One head of all images is one contiguous run: what a search reads.
        for (let unit = 0; unit < units; unit++) {
          const from = start + unit * headDim;
          z.set(batch.z.subarray(from, from + headDim), (unit * capacity + first + image) * headDim);
        }
        addMoments(
          floats.subarray(start, start + perImage),
          batch.scalars.subarray(image * 3, image * 3 + 3),
        );
      }
      scalars.set(batch.scalars, first * 3);
      embedding.set(batch.embedding, first * embedDim);
      if (keepsMlps) mlps.set(batch.mlps, first * others * embedDim);
      for (const row of rows) images.push(row);
    },
    reject(rows) {
      for (const row of rows) rejected.push(row);
    },
    files() {
      const n = images.length;
      const runs = Array.from({ length: units }, (_, unit) =>
        bytesOf(z.subarray(unit * capacity * headDim, (unit * capacity + n) * headDim)),
      );
      const kind = dtype === "float16" ? "<f2" : "<f4";
      const files = new Map<string, Uint8Array[]>([
        ["heads.npy", [formatNpyHeader(kind, [layers, heads, n, headDim]), ...runs]],
        ["scalars.npy", [formatNpyHeader("<f4", [n, 3]), bytesOf(scalars.subarray(0, n * 3))]],
        [
          "embedding.npy",
          [formatNpyHeader("<f4", [n, embedDim]), bytesOf(embedding.subarray(0, n * embedDim))],
        ],
        ["images.jsonl", [formatRows(images)]],
        ["rejected.jsonl", [formatRows(rejected)]],
      ]);
      if (pooled) files.set("sums.npy", [formatNpyHeader("<f8", [layers, heads, side]), bytesOf(moments)]);
      else {
        const whole = moments.slice();
        for (let unit = 0; unit < units; unit++) mirror(whole, unit * side * side, side);
        files.set("moments.npy", [formatNpyHeader("<f8", [layers, heads, side, side]), bytesOf(whole)]);
      }
      if (keepsMlps) {
        const shape = [n, others, embedDim];
        const data = mlps.subarray(0, n * others * embedDim);
        files.set("mlps.npy", [formatNpyHeader("<f2", shape), bytesOf(data)]);
      }
      return files;
    },
  };
}
