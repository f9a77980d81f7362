import { choleskyFactor } from "../math/eigenvalues.ts";
import { fromHalf } from "../math/half.ts";
import { addScaled, dot, multiplyLeft } from "../math/linear.ts";
import type { ComponentSet, WeightedHead, WeightedMlp } from "../model/components.ts";
import { mlpCount } from "../model/components.ts";
import type { HeadGeometry } from "../model/geometry.ts";
import { coordinateCount, headMatrix, headMetric, headProbe, prepareProbe } from "../model/head-space.ts";
import type { MatMul } from "../onnx/matmul.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sharedCache } from "../support/shared.ts";
import { inTurn } from "../support/turns.ts";
import { createHeadCache, type HeadCache } from "./head-cache.ts";
import type { Index } from "./open-index.ts";
import { AT_ONCE, type OpenShard, type ShardedIndex } from "./sharded-index.ts";

/*
 * The kernel read along the images of an index: score_i = Σ_h w_h·z̃_ih·(M̃_h·v). ONNX Runtime multiplies the block of a head
 * and a shard, which it does at the speed of the memory, while the next are read; the scores of the images that are shown are
 * summed again in float64, so that they do not depend on what else is in the index.
 */

/** Scores of an index's images, exactly and as often as asked. */
interface Scoring<I extends ShardedIndex> {
  readonly index: I;
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

/** An index with the model that made it, open for questions; by default one with its rows in memory. */
export type Search<I extends ShardedIndex = Index> = I & Scoring<I>;

/** What a set wrote into the images of an index, seen from its mean. */
export interface Centred {
  /** [D]: the mean over images of Σ_h w_h·head_h. */
  readonly mean: Float64Array;
  /** [n]: the length of what is left of each image's own. */
  readonly lengths: Float64Array;
}

/** Bytes of lengths that are kept, and as many from their mean: eight an image and set. */
const LENGTHS_BYTES = 2 ** 26;

/** Makes a search over an index. @param geometry of the model that made it */
export function createSearch<I extends ShardedIndex>(
  index: I,
  geometry: HeadGeometry,
  matmul: MatMul,
  cache: HeadCache = createHeadCache(index),
): Search<I> {
  const n = index.images.length;
  const { embedDim } = geometry;
  const width = coordinateCount(geometry);
  const lengthsOf = sharedCache<Float64Array>(LENGTHS_BYTES);
  const centredOf = sharedCache<Centred>(LENGTHS_BYTES);

  const partOf =
    ({ layer, head }: Omit<WeightedHead, "weight">) =>
    (shard: OpenShard) =>
      cache.part(shard, layer, head);
  const mlpPart = (term: number) => (shard: OpenShard) => shard.mlpTerm(term).then((half) => fromHalf(half));
  /** The blocks of all images, a shard's after another's. */
  const sweep = (read: BlockReader) => inTurn(index.shards, AT_ONCE, read);

  /** Writes block·q of every image. */
  const product = async (
    columns: number,
    read: BlockReader,
    q: Float64Array,
    write: (row: number, values: Float32Array) => void,
  ) => {
    const right = { data: Float32Array.from(q), dims: [1, columns, 1] };
    for await (const [{ start, images }, data] of sweep(read))
      write(start, await matmul({ data, dims: [1, images, columns] }, right));
  };

  /** Some rows of a block that is never there as a whole, [rows, columns]. */
  const pickRows = async (
    rows: readonly number[],
    columns: number,
    read: BlockReader,
  ): Promise<Float32Array> => {
    const picked = new Float32Array(rows.length * columns);
    const asked = byShard(index.shards, rows);
    for await (const [[{ start }, positions], block] of inTurn(asked, AT_ONCE, ([shard]) => read(shard))) {
      for (const i of positions) {
        const from = (rows[i] - start) * columns;
        picked.set(block.subarray(from, from + columns), i * columns);
      }
    }
    return picked;
  };

  const scoring: Scoring<I> = {
    index,
    async scores(v, set) {
      const { heads, whole, mlps } = plan(index, set);
      const probe = prepareProbe(geometry, v);
      const one = heads.length === 1 && whole === 0 && mlps.length === 0 ? heads[0] : undefined;
      if (one) {
        const values = new Float32Array(n);
        const q = headProbe(geometry, probe, one);
        await product(width, partOf(one), q, (row, some) => values.set(some, row));
        return values;
      }
      const sums = new Float64Array(n);
      const add = (row: number, values: Float32Array) => {
        for (let i = 0; i < values.length; i++) sums[row + i] += values[i];
      };
      if (whole !== 0) await product(embedDim, cache.embeddings, scaled(v, whole), add);
      for (const head of heads) await product(width, partOf(head), headProbe(geometry, probe, head), add);
      for (const { index: term, weight } of mlps)
        await product(embedDim, mlpPart(term), scaled(v, weight), add);
      return sums;
    },
    async exactScores(v, set, rows) {
      const { heads, whole, mlps } = plan(index, set);
      const probe = prepareProbe(geometry, v);
      const sums = new Float64Array(rows.length);
      const add = async (columns: number, read: BlockReader, q: Float64Array) => {
        const block = await pickRows(rows, columns, read);
        for (let i = 0; i < rows.length; i++) sums[i] += dot(block, q, i * columns);
      };
      if (whole !== 0) await add(embedDim, cache.embeddings, scaled(v, whole));
      for (const head of heads) await add(width, partOf(head), headProbe(geometry, probe, head));
      for (const { index: term, weight } of mlps) await add(embedDim, mlpPart(term), scaled(v, weight));
      return sums;
    },
    async contributions(set, rows) {
      const { heads, whole, mlps } = plan(index, set);
      const dense = new Float64Array(rows.length * embedDim);
      const add = (values: Float32Array, weight: number) => addScaled(dense, weight, values);
      for (const head of heads) {
        const block = await pickRows(rows, width, partOf(head));
        const matrix = Float32Array.from(headMatrix(geometry, head.layer, head.head));
        const product = await matmul(
          { data: block, dims: [1, rows.length, width] },
          { data: matrix, dims: [1, width, embedDim] },
        );
        add(product, head.weight);
      }
      if (whole !== 0) add(await pickRows(rows, embedDim, cache.embeddings), whole);
      for (const { index: term, weight } of mlps) {
        add(await pickRows(rows, embedDim, mlpPart(term)), weight);
      }
      return dense;
    },
    lengths: (set) =>
      lengthsOf.get(JSON.stringify(set), () => setLengths(set, new Float64Array(embedDim)), n * 8),
    centred: (set) =>
      centredOf.get(
        JSON.stringify(set),
        () => {
          const [head, ...others] = set.heads;
          return head && others.length === 0 && set.mlps.length === 0 ? centredHead(head) : centredSet(set);
        },
        n * 8,
      ),
  };
  return { ...index, ...scoring };

  /** What a set wrote into all images, some thousand at once. */
  async function* dense(
    set: ComponentSet,
  ): AsyncGenerator<{ start: number; count: number; of: Float64Array }> {
    const PIECE = 4096;
    for (let start = 0; start < n; start += PIECE) {
      const rows = Array.from({ length: Math.min(PIECE, n - start) }, (_, i) => start + i);
      yield { start, count: rows.length, of: await scoring.contributions(set, rows) };
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
    const metric = headMetric(geometry, layer, head);
    const columns = metric ? width : geometry.headDim;
    const part = partOf({ layer, head });
    const middle = new Float64Array(columns);
    for await (const [{ images }, block] of sweep(part)) {
      for (let row = 0; row < images; row++) addScaled(middle, 1 / n, block, row * width);
    }
    const trace = metric ? middle.reduce((sum, _, i) => sum + metric[i * columns + i], 0) : 0;
    const factor = metric && choleskyFactor(metric, columns, trace * 1e-14);
    const lengths = new Float64Array(n);
    const rest = new Float64Array(columns);
    for await (const [{ start, images }, block] of sweep(part)) {
      for (let row = 0; row < images; row++) {
        for (let i = 0; i < columns; i++) rest[i] = block[row * width + i] - middle[i];
        let square = factor ? 0 : dot(rest, rest);
        for (const column of factor ?? []) square += dot(rest, column) ** 2;
        lengths[start + row] = Math.abs(weight) * Math.sqrt(square);
      }
    }
    const mean = middle.map((value) => weight * value);
    return { mean: metric ? multiplyLeft(mean, headMatrix(geometry, layer, head)) : mean, lengths };
  }
}

/** Reads a block of a shard's images: a head's, or their embeddings. */
type BlockReader = (shard: OpenShard) => Promise<Float32Array>;

/** The shards that some rows are in, each with the positions of its rows. */
function byShard(
  shards: readonly OpenShard[],
  rows: readonly number[],
): (readonly [shard: OpenShard, positions: readonly number[]])[] {
  const order = Array.from(rows.keys()).sort((a, b) => rows[a] - rows[b]);
  const found: [OpenShard, number[]][] = [];
  let at = 0;
  for (const i of order) {
    while (rows[i] >= shards[at].start + shards[at].images) at++;
    const last = found.at(-1);
    if (last?.[0] === shards[at]) last[1].push(i);
    else found.push([shards[at], [i]]);
  }
  return found;
}

/**
 * What a set asks of an index. All MLP terms together are known without being stored, and more exactly than in float16,
 * since Σ mlp = e/‖e‖ − Σ heads: a set with every MLP term at one weight is `whole` times the embedding, and its heads
 * less as much. Other MLP terms must be stored.
 * @throws `HEADS_INVALID`
 */
function plan(index: ShardedIndex, set: ComponentSet): Plan {
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

const scaled = (v: Float64Array, weight: number) => v.map((value) => weight * value);
