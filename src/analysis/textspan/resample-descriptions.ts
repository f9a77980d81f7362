/**
 * What heads would have been described by, had the images been others: a bootstrap over blocks of images. Images are dealt
 * into blocks at random, as many blocks are drawn with replacement, and TEXTSPAN runs on the moments of what was drawn; in
 * one resample all heads see the same images. The row space stays that of all images.
 *
 * Heads are not drawn: they are all there are, and a head that is drawn twice would share its label with itself.
 */

import { createSearch } from "../../corpus/search.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { Random } from "../../math/random.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet } from "../../model/components.ts";
import { type Head, headOf } from "../../results/shapes.ts";
import { atOnce } from "../../support/at-once.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import { createChooser, selectTexts } from "./chooser.ts";
import { eachHead } from "./contributions.ts";
import { embedPool, type PoolOptions } from "./describe-heads.ts";
import { rowSpace, trace } from "./row-space.ts";
import { blockMoments, dealBlocks, drawCovariance } from "./stability.ts";
import { projectTexts } from "./textspan.ts";

/** The texts of one head in each resample. */
export interface ResampledHead extends Head {
  /** [resamples][steps]: chosen texts, with the share of the resample's variance that each explains. */
  readonly resamples: readonly (readonly { readonly index: number; readonly explainedVariance: number }[])[];
}

/** How images are resampled. */
export interface ResampleOptions extends PoolOptions {
  /** Texts a head. */
  readonly iterations: number;
  readonly resamples: number;
  /** At most one an image. */
  readonly blocks: number;
  readonly seed?: number;
  /** Threads of the products; 0 takes every core. */
  readonly threads?: number;
}

/**
 * Describes every head of a set by resampled images.
 * @throws `NO_IMAGES` for an index of fewer than two; `CANCELLED`
 */
export async function resampleDescriptions(
  model: ClipModel,
  index: ShardedIndex,
  { heads }: ComponentSet,
  pool: TextPool,
  options: ResampleOptions,
): Promise<ResampledHead[]> {
  const { iterations, resamples, blocks: wanted, seed = 0, threads = 0, report, signal } = options;
  const images = index.images.length;
  if (images < 2)
    throw new ClipInterpretError("NO_IMAGES", `${index.folder} holds too few images to resample`);
  const algebra = await model.openAlgebra({ threads });
  const chooser = createChooser(algebra, threads);
  try {
    const texts = await embedPool(model, pool, options);
    const search = createSearch(index, model.geometry, model.matmul);
    const contributionsOf = await eachHead(search, model, algebra);
    const dealt = dealBlocks(images, wanted, seed);
    const task = "resampling images";
    report?.({ type: "start", task, unit: "head", total: heads.length });
    let done = 0;
    const found = await atOnce(chooser.atOnce, heads, async (weighted): Promise<ResampledHead> => {
      checkCancelled(signal);
      const head = contributionsOf(weighted);
      const space = await rowSpace(algebra, await head.moments(), head.matrix);
      const coordinates = await projectTexts(algebra, space, texts);
      const blocks = await blockMoments(algebra, head, space, dealt);
      const drawn: ResampledHead["resamples"][number][] = [];
      const totals: number[] = [];
      function* draws() {
        for (let resample = 0; resample < resamples; resample++) {
          const covariance = drawCovariance(blocks, new Random(seed, resample + 1));
          totals.push(trace(covariance));
          yield covariance;
        }
      }
      for await (const { selected, variances } of selectTexts(chooser, draws(), coordinates, iterations)) {
        checkCancelled(signal);
        const total = totals[drawn.length];
        const shares = selected.map((index, step) => ({ index, explainedVariance: variances[step] / total }));
        // Where all drawn images are alike, what is left of their variance is rounding.
        drawn.push(total > 0 ? shares : []);
      }
      report?.({ type: "advance", task, done: ++done, total: heads.length });
      return { ...headOf(weighted.layer, weighted.head), resamples: drawn };
    });
    report?.({ type: "end", task, done });
    return found;
  } finally {
    await chooser.close();
    await algebra.release();
  }
}
