import { choleskyFactor } from "../math/eigenvalues.ts";
import { fromHalf } from "../math/half.ts";
import { addScaled, dot, multiplyLeft } from "../math/linear.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { ComponentSet, WeightedHead, WeightedMlp } from "../model/components.ts";
import { mlpCount } from "../model/components.ts";
import type { HeadGeometry } from "../model/geometry.ts";
import { coordinateCount, headMatrix, headProbe, prepareProbe } from "../model/head-space.ts";
import type { MatMul } from "../onnx/matmul.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { sharedCache } from "../support/shared.ts";
import { createHeadCache, type HeadCache } from "./head-cache.ts";
import { measuredHead } from "./measured-head.ts";
import { type Index, readIndex, requireModelOf } from "./open-index.ts";

/*
 * The kernel read along the images of an index: score_i = Σ_h w_h·z̃_ih·(M̃_h·v). ONNX Runtime multiplies whole blocks,
 * which it does at the speed of the memory; the scores of the images that are shown are summed again in float64, so
 * that they do not depend on what else is in the index.
 */

/** An index with the model that made it: scores its images, exactly and as often as asked. */
export interface Search extends Index {
  readonly index: Index;
  /** [n]: the set's score of every image for a probe v [D]. @throws `HEADS_INVALID` */
  scores(v: Float64Array, set: ComponentSet): Promise<Float64Array | Float32Array>;
  /** The same scores of some images, summed in float64 from what is stored. */
  exactScores(v: Float64Array, set: ComponentSet, rows: readonly number[]): Promise<Float64Array>;
  /** [rows, D]: what the set wrote into some images, Σ_h w_h·head_h. @throws `HEADS_INVALID` */
  contributions(set: ComponentSet, rows: readonly number[]): Promise<Float64Array>;
  /** [n]: the length of what the set wrote into every image, ‖Σ_h w_h·head_h‖. @throws `HEADS_INVALID` */
  lengths(set: ComponentSet): Promise<Float64Array>;
  /** What the set wrote on average, and how far from that every image lies. @throws `HEADS_INVALID` */
  centred(set: ComponentSet): Promise<Centred>;
}

/** What a set wrote into the images of an index, seen from its mean. */
export interface Centred {
  /** [D]: the mean over images of Σ_h w_h·head_h. */
  readonly mean: Float64Array;
  /** [n]: the length of what is left of each image's own. */
  readonly lengths: Float64Array;
}

/** Sets whose lengths are kept, and as many from their mean: eight bytes an image each. */
const MOST_LENGTHS = 64;

/**
 * Opens an index for questions, with the model that made it. A shard that is damaged is left out with a warning.
 *
 * @throws `INDEX_INVALID`, `INPUT_UNREADABLE`; `INDEX_CORRUPT` when no shard is whole; `INDEX_MISMATCH` for an index of
 *   another model
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * console.log(index.images.length, index.images[0].path); // → 120 images/0000-mobile-phone.png
 * ```
 */
export async function openIndex(
  model: ClipModel,
  folder: string,
  options: { readonly report?: Report } = {},
): Promise<Search> {
  const index = await readIndex(folder, options);
  await requireModelOf(index, model);
  return createSearch(index, model.geometry, model.matmul);
}

/** Makes a search over an index. @param geometry of the model that made it */
export function createSearch(
  index: Index,
  geometry: HeadGeometry,
  matmul: MatMul,
  cache: HeadCache = createHeadCache(index),
): Search {
  const n = index.images.length;
  const { embedDim } = geometry;
  const width = coordinateCount(geometry);
  const lengthsOf = sharedCache<Float64Array>(MOST_LENGTHS);
  const centredOf = sharedCache<Centred>(MOST_LENGTHS);

  /** block·q of every image. */
  const product = (block: Float32Array, columns: number, q: Float64Array): Promise<Float32Array> =>
    n === 0
      ? Promise.resolve(new Float32Array(0))
      : matmul({ data: block, dims: [1, n, columns] }, { data: Float32Array.from(q), dims: [1, columns, 1] });

  const search: Search = {
    ...index,
    index,
    async scores(v, set) {
      const { heads, whole, mlps } = plan(index, set);
      const probe = prepareProbe(geometry, v);
      const one = heads.length === 1 && whole === 0 && mlps.length === 0 ? heads[0] : undefined;
      if (one) return product(await cache.block(one.layer, one.head), width, headProbe(geometry, probe, one));
      const sums = new Float64Array(n);
      const add = (values: Float32Array) => {
        for (let i = 0; i < n; i++) sums[i] += values[i];
      };
      if (whole !== 0) add(await product(await cache.embeddings(), embedDim, scaled(v, whole)));
      for (const head of heads) {
        add(await product(await cache.block(head.layer, head.head), width, headProbe(geometry, probe, head)));
      }
      for (const { index: term, weight } of mlps) {
        add(await product(await mlpTerm(index, term), embedDim, scaled(v, weight)));
      }
      return sums;
    },
    async exactScores(v, set, rows) {
      const { heads, whole, mlps } = plan(index, set);
      const probe = prepareProbe(geometry, v);
      const sums = new Float64Array(rows.length);
      const add = (block: Float32Array, columns: number, q: Float64Array) => {
        for (const [i, row] of rows.entries()) sums[i] += dot(block, q, row * columns);
      };
      if (whole !== 0) add(await cache.embeddings(), embedDim, scaled(v, whole));
      for (const head of heads) {
        add(await cache.block(head.layer, head.head), width, headProbe(geometry, probe, head));
      }
      for (const { index: term, weight } of mlps) {
        add(await mlpTerm(index, term), embedDim, scaled(v, weight));
      }
      return sums;
    },
    async contributions(set, rows) {
      const { heads, whole, mlps } = plan(index, set);
      const dense = new Float64Array(rows.length * embedDim);
      const add = (values: Float32Array, weight: number) => addScaled(dense, weight, values);
      for (const { layer, head, weight } of heads) {
        const block = pickRows(await cache.block(layer, head), rows, width);
        const matrix = Float32Array.from(headMatrix(geometry, layer, head));
        const product = await matmul(
          { data: block, dims: [1, rows.length, width] },
          { data: matrix, dims: [1, width, embedDim] },
        );
        add(product, weight);
      }
      if (whole !== 0) add(pickRows(await cache.embeddings(), rows, embedDim), whole);
      for (const { index: term, weight } of mlps) {
        add(pickRows(await mlpTerm(index, term), rows, embedDim), weight);
      }
      return dense;
    },
    lengths: (set) => lengthsOf.get(JSON.stringify(set), () => setLengths(set, new Float64Array(embedDim))),
    centred: (set) =>
      centredOf.get(JSON.stringify(set), () => {
        const [head, ...others] = set.heads;
        return head && others.length === 0 && set.mlps.length === 0 ? centredHead(head) : centredSet(set);
      }),
  };
  return search;

  /** What a set wrote into all images, some thousand at once. */
  async function* dense(
    set: ComponentSet,
  ): AsyncGenerator<{ start: number; count: number; of: Float64Array }> {
    const AT_ONCE = 4096;
    for (let start = 0; start < n; start += AT_ONCE) {
      const rows = Array.from({ length: Math.min(AT_ONCE, n - start) }, (_, i) => start + i);
      yield { start, count: rows.length, of: await search.contributions(set, rows) };
    }
  }

  async function setLengths(set: ComponentSet, from: Float64Array): Promise<Float64Array> {
    const lengths = new Float64Array(n);
    for await (const { start, count, of } of dense(set)) {
      for (let i = 0; i < count; i++) {
        let square = 0;
        for (let d = 0; d < embedDim; d++) square += (of[i * embedDim + d] - from[d]) ** 2;
        lengths[start + i] = Math.sqrt(square);
      }
    }
    return lengths;
  }

  async function centredSet(set: ComponentSet): Promise<Centred> {
    const mean = new Float64Array(embedDim);
    for await (const { count, of } of dense(set)) {
      for (let i = 0; i < count; i++) addScaled(mean, 1 / n, of, i * embedDim);
    }
    return { mean, lengths: await setLengths(set, mean) };
  }

  /**
   * In the head's own space, which is a tenth as wide: ‖(z̃ − mean z̃)·L‖ with L·Lᵀ = M̃·M̃ᵀ; where a model pools by attention, that
   * of the contributions themselves.
   */
  async function centredHead({ layer, head, weight }: WeightedHead): Promise<Centred> {
    const { block, width: columns, metric } = await measuredHead(cache, geometry, layer, head);
    const middle = new Float64Array(columns);
    for (let row = 0; row < n; row++) addScaled(middle, 1 / n, block, row * columns);
    const trace = metric ? middle.reduce((sum, _, i) => sum + metric[i * columns + i], 0) : 0;
    const factor = metric && choleskyFactor(metric, columns, trace * 1e-14);
    const lengths = new Float64Array(n);
    const rest = new Float64Array(columns);
    for (let row = 0; row < n; row++) {
      for (let i = 0; i < columns; i++) rest[i] = block[row * columns + i] - middle[i];
      let square = factor ? 0 : dot(rest, rest);
      for (const column of factor ?? []) square += dot(rest, column) ** 2;
      lengths[row] = Math.abs(weight) * Math.sqrt(square);
    }
    const mean = middle.map((value) => weight * value);
    return { mean: metric ? multiplyLeft(mean, headMatrix(geometry, layer, head)) : mean, lengths };
  }
}

/** Some rows of a block. */
function pickRows(block: Float32Array, rows: readonly number[], width: number): Float32Array {
  const picked = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries())
    picked.set(block.subarray(row * width, (row + 1) * width), i * width);
  return picked;
}

/**
 * What a set asks of an index. All MLP terms together are known without being stored, and more exactly than in float16,
 * since Σ mlp = e/‖e‖ − Σ heads: a set with every MLP term at one weight is `whole` times the embedding, and its heads
 * less as much. Other MLP terms must be stored.
 * @throws `HEADS_INVALID`
 */
function plan(index: Index, set: ComponentSet): Plan {
  const { layers, heads, mlps } = index.manifest;
  const [first] = set.mlps;
  if (!first) return { heads: set.heads, whole: 0, mlps: [] };
  if (set.mlps.length < mlpCount(index.manifest) || set.mlps.some(({ weight }) => weight !== first.weight)) {
    if (mlps) return { heads: set.heads, whole: 0, mlps: set.mlps };
    const message = `the index ${index.folder} holds no single MLP terms`;
    const hint = "Ask for heads, or for all terms with `mlps`, or make the index with --mlps.";
    throw new ClipInterpretError("HEADS_INVALID", message, { hint });
  }
  const asked = new Map(set.heads.map((head) => [head.layer * heads + head.head, head.weight]));
  const rest = Array.from({ length: layers * heads }, (_, unit) => ({
    layer: Math.floor(unit / heads),
    head: unit % heads,
    weight: (asked.get(unit) ?? 0) - first.weight,
  }));
  return { heads: rest.filter((head) => head.weight !== 0), whole: first.weight, mlps: [] };
}

/** Blocks to read, with their weights. */
interface Plan {
  readonly heads: readonly WeightedHead[];
  /** Weight of the whole embedding. */
  readonly whole: number;
  readonly mlps: readonly WeightedMlp[];
}

/** [n, D]: one MLP term of every image. */
async function mlpTerm(index: Index, term: number): Promise<Float32Array> {
  return fromHalf(await index.mlpTerm(term));
}

const scaled = (v: Float64Array, weight: number) => v.map((value) => weight * value);
