import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { embedTexts } from "../../model/text-cache.ts";
import type { KnowingHeads } from "../../results/atlas.ts";
import type { TextPool } from "../../text/pool.ts";
import { knowingHeads, openPoolShares, type PoolShares, type ShareOptions } from "./knowing-heads.ts";
import type { AtlasLabels } from "./labels.ts";

/** How heads are found. */
export interface FindHeadsOptions extends ShareOptions {
  readonly labels?: AtlasLabels;
  /** Where embeddings of texts are kept. */
  readonly cacheFolder?: string;
}

/**
 * {@link openPoolShares} of a pool whose texts are embedded once for a model.
 * @throws `NO_IMAGES`, what embedding texts throws, `CANCELLED`
 */
export const sharesOfPool = async (
  model: ClipModel,
  index: ShardedIndex,
  { texts }: TextPool,
  options: FindHeadsOptions = {},
): Promise<PoolShares> =>
  openPoolShares(
    model,
    index,
    await embedTexts(
      model,
      texts.map(({ text }) => text),
      options,
    ),
    options,
  );

/**
 * The heads that know a text, those that know it best first: by the share of their variance that lies along it, beside its
 * place among the texts of the pool.
 * @throws what embedding a text throws, `NO_IMAGES`, `CANCELLED`
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { defaultPool, findHeads, loadPool } from "clip-interpret/labeling";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const pool = await loadPool(defaultPool(model.name));
 * const { heads } = await findHeads(model, index, pool, "a red background");
 * console.log(heads[0].name, heads[0].percentile.toFixed(2)); // → L0.H1 0.91
 * ```
 */
export async function findHeads(
  model: ClipModel,
  index: ShardedIndex,
  pool: TextPool,
  text: string,
  { labels, ...options }: FindHeadsOptions = {},
): Promise<KnowingHeads> {
  const shares = await sharesOfPool(model, index, pool, options);
  const embedding = await model.encodeTexts([text], options);
  return knowingHeads(model, index, { text, embedding, shares, pool, ...(labels && { labels }) }, options);
}
