/**
 * Which heads know a text: how much of what varies in a head over images lies along it. A share says little by itself, since
 * CLIP's texts lie in a narrow cone and heads have few strong directions; where it stands among the shares of a pool's texts
 * says whether the head is about this text rather than about any.
 */

import { createSearch } from "../../corpus/search.ts";
import { everyRow, type ShardedIndex } from "../../corpus/sharded-index.ts";
import { addScaled, dot, norm, unitRows } from "../../math/linear.ts";
import { thin } from "../../math/thin.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allComponents, allHeads } from "../../model/components.ts";
import type { Algebra } from "../../onnx/algebra.ts";
import { type KnowingHeads, knowingHeadsResult } from "../../results/atlas.ts";
import { originOf } from "../../results/origin.ts";
import { headOf } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, pause, type WorkOptions } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import { eachHead } from "../textspan/contributions.ts";
import { type RowSpace, rowSpace } from "../textspan/row-space.ts";
import { projectTexts } from "../textspan/textspan.ts";
import type { AtlasLabels } from "./labels.ts";

/** How shares are taken. */
export interface ShareOptions extends WorkOptions {
  /** Threads of the products; 0 takes every core. */
  readonly threads?: number;
}

/** What shares of texts are compared with: every head's variance along the texts of a pool. */
export interface PoolShares {
  /** [D]: the mean of the pool's texts, which is no part of what tells one text from another. */
  readonly mean: Float64Array;
  /** [L·H]: shares of all texts, in ascending order. */
  readonly sorted: readonly Float64Array[];
  /** [L·H]: share of a head's variance along directions [t, D], each of unit length. */
  shares(directions: Float64Array): Promise<Float64Array[]>;
}

/** Images that agreement is measured over, and heads that it is measured of. */
const MOST_IMAGES = 2000;
const MEASURED = 16;

/**
 * Takes every head's variance along the texts of a pool, once for any number of questions.
 * @param embedded [t, D]: the texts, as the model embeds them
 * @throws `NO_IMAGES`, `CANCELLED`
 */
export async function openPoolShares(
  model: ClipModel,
  index: ShardedIndex,
  embedded: Float32Array,
  { threads = 0, report, signal }: ShareOptions = {},
): Promise<PoolShares> {
  if (index.images.length === 0) throw new ClipInterpretError("NO_IMAGES", `${index.folder} holds no image`);
  const { embedDim } = model.config;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const texts = unitRows(embedded, embedDim);
  /** Its sessions cost milliseconds, and nobody has to see to their end. */
  const withAlgebra = async <T>(use: (algebra: Algebra) => Promise<T>): Promise<T> => {
    const algebra = await model.openAlgebra({ threads });
    try {
      return await use(algebra);
    } finally {
      await algebra.release();
    }
  };
  const search = createSearch(index, model.geometry, model.matmul);
  const spaces = await withAlgebra(async (algebra) => {
    const contributionsOf = await eachHead(search, model, algebra);
    const found: Pick<RowSpace, "covariance" | "basis" | "totalVariance">[] = [];
    for (const head of allHeads(model.geometry).heads) {
      checkCancelled(signal);
      const contributions = contributionsOf(head);
      const moments = await contributions.moments(work);
      const { covariance, basis, totalVariance } = await rowSpace(algebra, moments, contributions.matrix);
      found.push({ covariance, basis, totalVariance });
    }
    return found;
  });
  const shares = (directions: Float64Array) =>
    withAlgebra(async (algebra) => {
      const found: Float64Array[] = [];
      for (const space of spaces) {
        await pause();
        checkCancelled(signal);
        const coordinates = await projectTexts(algebra, space, directions);
        const { data } = await algebra.product(coordinates, space.covariance);
        const r = coordinates.columns;
        const along = (i: number) => dot(coordinates.data, data, i * r, i * r, r);
        found.push(
          Float64Array.from({ length: coordinates.rows }, (_, i) =>
            space.totalVariance === 0 ? 0 : Math.max(0, along(i) / space.totalVariance),
          ),
        );
      }
      return found;
    });
  const mean = new Float64Array(embedDim);
  for (let at = 0; at < texts.length; at += embedDim)
    addScaled(mean, embedDim / texts.length, texts.subarray(at, at + embedDim));
  const sorted = (await shares(centredRows(texts, mean))).map((of) => of.sort());
  return { mean, sorted, shares };
}

/** Directions [t, D] of texts less what all texts share, at length 1. */
function centredRows(texts: Float64Array, mean: Float64Array): Float64Array {
  return unitRows(
    texts.map((value, i) => value - mean[i % mean.length]),
    mean.length,
  );
}

/** A text, and what its heads are found with. */
export interface KnownText {
  readonly text: string;
  /** [D]: the text, as the model embeds it. */
  readonly embedding: Float32Array;
  /** What `openPoolShares` gave of the same model and index, and of this pool. */
  readonly shares: PoolShares;
  readonly pool: TextPool;
  readonly labels?: AtlasLabels;
}

/**
 * The heads that know a text, those that know it best first.
 * @throws `CANCELLED`
 */
export async function knowingHeads(
  model: ClipModel,
  index: ShardedIndex,
  { text, embedding, shares, pool, labels = {} }: KnownText,
  { signal }: WorkOptions = {},
): Promise<KnowingHeads> {
  const unit = unitRows(embedding, model.config.embedDim);
  const probe = centredRows(unit, shares.mean);
  if (norm(probe) === 0) probe.set(unit);
  const own = await shares.shares(probe);
  const heads = allHeads(model.geometry).heads.map(({ layer, head }, i) => ({
    ...headOf(layer, head),
    label: labels[headOf(layer, head).name] ?? null,
    share: own[i][0],
    percentile: shareBelow(shares.sorted[i], own[i][0]),
    agreement: null as number | null,
  }));
  heads.sort((a, b) => b.share - a.share);
  const search = createSearch(index, model.geometry, model.matmul);
  const rows = thin(everyRow(index), MOST_IMAGES);
  const whole = await search.exactScores(probe, allComponents(model.geometry), rows);
  for (const entry of heads.slice(0, MEASURED)) {
    checkCancelled(signal);
    await pause();
    const { layer, head } = entry;
    const scores = await search.exactScores(probe, { heads: [{ layer, head, weight: 1 }], mlps: [] }, rows);
    entry.agreement = correlation(
      scores,
      whole.map((value, i) => value - scores[i]),
    );
  }
  return knowingHeadsResult(await originOf({ model, index, pool }), { text, heads });
}

/** Shares this close are one: a text of the pool is not below itself, however it was rounded. */
const ROUNDING = 1e-6;

/** Share of sorted values that lie below one. */
function shareBelow(sorted: Float64Array, value: number): number {
  const least = value * (1 - ROUNDING);
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low / Math.max(1, sorted.length);
}

/** Pearson's r; null where one of the two does not vary. */
function correlation(a: Float64Array, b: Float64Array): number | null {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [a, b].map((values) => {
    const middle = mean(values);
    return values.map((value) => value - middle);
  });
  const scale = norm(x) * norm(y);
  return scale > 0 ? dot(x, y) / scale : null;
}
