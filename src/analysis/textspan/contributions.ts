/** What a component, or several as one, wrote into the images of an index, in the form in which TEXTSPAN takes it. */

import type { Search } from "../../corpus/search.ts";
import { gather, type ShardedIndex } from "../../corpus/sharded-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet, WeightedHead } from "../../model/components.ts";
import { coordinateCount, headMatrix, setScaled } from "../../model/head-space.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import type { NpyRows } from "../../support/npy-stream.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { once } from "../../support/shared.ts";

/** Contributions to n images as z̃·M̃. */
export interface Contributions {
  /** M̃ [m, D]; null where z̃ are the contributions themselves. */
  readonly matrix: Float64Array | null;
  /** Σ [z̃;1][z̃;1]ᵀ over all images, [m+1, m+1]. */
  moments(work?: WorkOptions): Promise<Float64Array>;
  /** [z̃;1] of some images, [rows, m+1]. */
  rows(rows: readonly number[]): Promise<DenseMatrix>;
}

/** Images whose dense contributions are in memory at once. */
const AT_ONCE = 2048;

/**
 * How the heads of an index are taken, each by itself: from the index's moments, which are read once, or, of an index of
 * contributions, which keeps none, as the sum of one.
 */
export async function eachHead(
  search: Search<ShardedIndex>,
  model: Pick<ClipModel, "geometry">,
  algebra: Algebra,
): Promise<(head: Omit<WeightedHead, "weight">) => Contributions> {
  const { index } = search;
  if (index.manifest.pooled) {
    return ({ layer, head }) =>
      summedContributions(search, { heads: [{ layer, head, weight: 1 }], mlps: [] }, algebra);
  }
  const moments = await index.moments();
  return (head) => headContributions(index, model, head, moments);
}

/** One head: its moments are in the index, its rows are what the index stores. */
export function headContributions(
  index: ShardedIndex,
  { geometry }: Pick<ClipModel, "geometry">,
  { layer, head }: Omit<WeightedHead, "weight">,
  allMoments: Float64Array,
): Contributions {
  const { headDim, heads } = geometry;
  const size = (coordinateCount(geometry) + 1) ** 2;
  const at = (layer * heads + head) * size;
  const n = index.images.length;
  /** Rows of a resample lie everywhere: z of this one head is read as a whole, and kept as long as the head is looked at. */
  const stored = once(() =>
    Promise.all([
      gather(index, new Float32Array(n * headDim), (shard) => shard.head(layer, head)),
      gather(index, new Float64Array(n * 3), (shard) => shard.scales()),
    ]),
  );
  return {
    matrix: headMatrix(geometry, layer, head),
    moments: async () => allMoments.slice(at, at + size),
    async rows(rows) {
      const [z, scales] = await stored();
      const columns = coordinateCount(geometry) + 1;
      const data = new Float64Array(rows.length * columns);
      for (const [i, image] of rows.entries()) {
        setScaled(data, i * columns, z, headDim, scales, image);
        data[(i + 1) * columns - 1] = 1;
      }
      return { data, rows: rows.length, columns };
    },
  };
}

/** Any components as one: the sum of what they wrote, with the set's weights. */
export function summedContributions(
  search: Search<ShardedIndex>,
  set: ComponentSet,
  algebra: Algebra,
): Contributions {
  const { images, manifest } = search.index;
  const width = manifest.embedDim;
  return {
    matrix: null,
    async rows(asked) {
      const [all] = withOnes(await search.contributions(set, asked), asked.length, width, 1);
      return all;
    },
    moments: (work) =>
      accumulate(algebra, images.length, width, work, (start, count) =>
        search.contributions(
          set,
          Array.from({ length: count }, (_, i) => start + i),
        ),
      ),
  };
}

/** Moments of the rows of an array of contributions, [n, D]: M̃ = I. @throws `INPUT_UNREADABLE`, `CANCELLED` */
export function arrayMoments(algebra: Algebra, array: NpyRows, work?: WorkOptions): Promise<Float64Array> {
  const [images, width] = array.shape;
  return accumulate(algebra, images, width, work, (start, count) => array.read(start, count));
}

/** Columns that are multiplied at once: of a symmetric product of blocks, those below the diagonal need not be made. */
const BLOCK = 192;

/** Σ [x;1][x;1]ᵀ over rows x [width] that are read in pieces, summed in order. */
async function accumulate(
  algebra: Algebra,
  images: number,
  width: number,
  { report, signal }: WorkOptions = {},
  read: (start: number, count: number) => Promise<Float32Array | Float64Array>,
): Promise<Float64Array> {
  const size = width + 1;
  const sum = new Float64Array(size * size);
  const task = "adding up contributions";
  report?.({ type: "start", task, unit: "image", total: images });
  for (let start = 0; start < images; start += AT_ONCE) {
    checkCancelled(signal);
    const count = Math.min(AT_ONCE, images - start);
    const blocks = withOnes(await read(start, count), count, width, Math.ceil(size / BLOCK));
    for (const [i, left] of blocks.entries()) {
      for (const right of blocks.slice(i))
        addBlock(sum, size, left.start, right.start, await algebra.cross(left, right));
    }
    report?.({ type: "advance", task, done: start + count, total: images });
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) sum[i * size + j] = sum[j * size + i];
  report?.({ type: "end", task, done: images });
  return sum;
}

/** Adds a block to a matrix of `size` columns. */
function addBlock(
  sum: Float64Array,
  size: number,
  top: number,
  left: number,
  { data, rows, columns }: DenseMatrix,
): void {
  for (let i = 0; i < rows; i++) {
    const to = (top + i) * size + left;
    for (let j = 0; j < columns; j++) sum[to + j] += data[i * columns + j];
  }
}

/** Columns of a matrix, from `start` on. */
interface Columns extends DenseMatrix {
  readonly start: number;
}

/** Rows [count, width] with a 1 after each, in blocks of columns of much the same number. */
function withOnes(
  values: Float32Array | Float64Array,
  count: number,
  width: number,
  blocks: number,
): Columns[] {
  const each = Math.ceil((width + 1) / blocks);
  return Array.from({ length: blocks }, (_, block) => {
    const start = block * each;
    const columns = Math.min(each, width + 1 - start);
    const data = new Float64Array(count * columns).fill(1);
    const given = Math.min(columns, width - start);
    for (let i = 0; i < count; i++) {
      const from = i * width + start;
      data.set(values.subarray(from, from + given), i * columns);
    }
    return { data, rows: count, columns, start };
  });
}
