/** Whether other images would have brought the same texts. */
import { quantile } from "../../math/intervals.ts";
import { dot, multiply } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import type { Stability } from "../../results/textspan.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { type Chooser, selectTexts } from "./chooser.ts";
import type { Contributions } from "./contributions.ts";
import { cumulative } from "./control.ts";
import { centred, type RowSpace } from "./row-space.ts";
import type { Selection } from "./textspan.ts";

/** How stability is measured. */
export interface StabilityOptions extends WorkOptions {
  readonly resamples: number;
  /** Blocks of images; at most one an image. Default: 32. */
  readonly blocks?: number;
  readonly seed?: number;
  /** Called after each resample. */
  readonly onResample?: () => void;
}

/**
 * Bootstrap over blocks of images: images are dealt into blocks at random, as many blocks are drawn with replacement,
 * and texts are chosen again from the moments of what was drawn. The row space stays that of all images.
 */
export async function measureStability(
  chooser: Chooser,
  contributions: Contributions,
  space: RowSpace,
  texts: DenseMatrix,
  chosen: Selection,
  { resamples, blocks: wanted = 32, seed = 0, signal, onResample }: StabilityOptions,
): Promise<Stability> {
  const steps = chosen.selected.length;
  const blocks = await blockMoments(
    chooser.algebra,
    contributions,
    space,
    dealBlocks(space.images, wanted, seed),
  );
  const counts = new Float64Array(steps);
  const overlaps: number[] = [];
  const explained: number[] = [];
  function* draws() {
    for (let resample = 0; resample < resamples; resample++) {
      const covariance = drawCovariance(blocks, new Random(seed, resample + 1));
      explained.push(explainedBy(chosen.directions, covariance));
      yield covariance;
    }
  }
  for await (const { selected } of selectTexts(chooser, draws(), texts, steps)) {
    checkCancelled(signal);
    for (const [step, text] of chosen.selected.entries()) if (selected.includes(text)) counts[step]++;
    overlaps.push(averageOverlap(chosen.selected, selected));
    onResample?.();
  }
  return {
    resamples,
    blocks: blocks.length,
    chosenShare: Array.from(counts, (count) => count / resamples),
    overlap: spread(overlaps),
    overlapByChance: Math.min(1, (steps + 1) / (2 * texts.rows)),
    explained: spread(explained),
  };
}

/** Rows of each block: images dealt out in a random order, so that every block is like the whole. */
export function dealBlocks(images: number, blocks: number, seed: number): number[][] {
  const random = new Random(seed, 0);
  const order = Array.from({ length: images }, (_, i) => i);
  for (let i = images - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const count = Math.min(blocks, images);
  return Array.from({ length: count }, (_, block) =>
    order.filter((_row, i) => i % count === block).sort((a, b) => a - b),
  );
}

/** Moments [r+1, r+1] of each block, in the coordinates of the row space. */
export async function blockMoments(
  algebra: Algebra,
  contributions: Contributions,
  { into }: RowSpace,
  blocks: readonly (readonly number[])[],
): Promise<Float64Array[]> {
  const [m, r] = [into.rows, into.columns];
  // [z̃;1] into [coordinates;1].
  const map = new Float64Array((m + 1) * (r + 1));
  for (let i = 0; i < m; i++) map.set(into.data.subarray(i * r, (i + 1) * r), i * (r + 1));
  map[map.length - 1] = 1;
  const extended = { data: map, rows: m + 1, columns: r + 1 };
  const moments: Float64Array[] = [];
  for (const rows of blocks) {
    const coordinates = await algebra.product(await contributions.rows(rows), extended);
    moments.push((await algebra.gram(coordinates)).data);
  }
  return moments;
}

export function drawCovariance(blocks: readonly Float64Array[], random: Random): DenseMatrix {
  const sum = new Float64Array(blocks[0].length);
  for (let i = 0; i < blocks.length; i++) {
    const block = random.pick(blocks);
    for (let at = 0; at < sum.length; at++) sum[at] += block[at];
  }
  return covarianceOf(sum);
}

/** The covariance in moments [r+1, r+1]. */
function covarianceOf(moments: Float64Array): DenseMatrix {
  const size = Math.sqrt(moments.length);
  const r = size - 1;
  const images = moments[moments.length - 1];
  const second = new Float64Array(r * r);
  for (let i = 0; i < r; i++) for (let j = 0; j < r; j++) second[i * r + j] = moments[i * size + j] / images;
  const mean = Float64Array.from({ length: r }, (_, i) => moments[i * size + r] / images);
  return centred({ data: second, rows: r, columns: r }, mean);
}

/** Mean over k of |first k of a ∩ first k of b| / k (Webber, Moffat and Zobel's average overlap). */
export function averageOverlap(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0) return 1;
  const shared = a.map((_, k) => {
    const first = new Set(b.slice(0, k + 1));
    return a.slice(0, k + 1).filter((text) => first.has(text)).length / (k + 1);
  });
  return cumulative(shared)[a.length - 1] / a.length;
}

/** Σ uᵀCu / tr C over orthonormal directions. */
function explainedBy(directions: DenseMatrix, covariance: DenseMatrix): number {
  const r = covariance.rows;
  let [explained, total] = [0, 0];
  for (let i = 0; i < r; i++) total += covariance.data[i * r + i];
  for (let step = 0; step < directions.rows; step++) {
    const u = directions.data.subarray(step * r, (step + 1) * r);
    explained += dot(u, multiply(covariance.data, u));
  }
  return total > 0 ? explained / total : 0;
}

function spread(values: readonly number[]): Stability["explained"] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, low: quantile(values, 0.025), high: quantile(values, 0.975) };
}
