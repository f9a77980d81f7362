import { createHeadCache } from "../../corpus/head-cache.ts";
import { measuredHead } from "../../corpus/measured-head.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads, type WeightedHead } from "../../model/components.ts";
import { originOf } from "../../results/origin.ts";
import { headOf } from "../../results/shapes.ts";
import { type SimilarResult, similarResult } from "../../results/similar.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { expectedByChance, gatherResponses, randomOrder, similarities } from "../compare/cka.ts";

/** How heads are compared with one. */
export interface SimilarOptions extends WorkOptions {
  /** How many heads are listed; by default 5. */
  readonly k?: number;
  /** Permutations of the images, for the highest similarity by chance; by default 20. */
  readonly permutations?: number;
  readonly seed?: number;
}

/**
 * The heads of a model that respond to the images of an index most like one of its heads, by linear CKA ("Similarity of
 * Neural Network Representations Revisited", Kornblith et al. 2019, §3): 1 where two heads tell images apart in the same
 * way up to rotation and scale, whatever they write.
 * @param head the one that the others are compared with; its weight does not matter
 * @throws `CANCELLED`
 */
export async function findSimilarHeads(
  model: ClipModel,
  index: ShardedIndex,
  head: Pick<WeightedHead, "layer" | "head">,
  { k = 5, permutations = 20, seed = 0, report, signal }: SimilarOptions = {},
): Promise<SimilarResult> {
  const { geometry, matmul } = model;
  const cache = createHeadCache(index, 0);
  const responses = ({ layer, head: number }: Pick<WeightedHead, "layer" | "head">) =>
    gatherResponses(matmul, 1, () => measuredHead(cache, geometry, layer, number));
  const others = allHeads(geometry).heads.filter((one) => one.layer !== head.layer || one.head !== head.head);
  const task = "comparing heads";
  report?.({ type: "start", task, unit: "head", total: others.length });
  const own = await responses(head);
  const [similarity, highest, chance] = [0, 0, 0].map(() => new Float64Array(others.length));
  // One after another: of many images all heads together are more than fits.
  for (const [i, one] of others.entries()) {
    checkCancelled(signal);
    const other = await responses(one);
    [similarity[i]] = await similarities(matmul, own, other);
    [chance[i]] = expectedByChance(own, other);
    for (let p = 0; p < permutations; p++) {
      checkCancelled(signal);
      const [shuffled] = await similarities(matmul, own, other, randomOrder(own.images, seed, p));
      highest[i] = Math.max(highest[i], shuffled);
    }
    report?.({ type: "advance", task, done: i + 1, total: others.length });
  }
  report?.({ type: "end", task, done: others.length });
  const order = [...others.keys()].sort((a, b) => similarity[b] - similarity[a] || a - b);
  return similarResult(await originOf({ model, index }), {
    head: headOf(head.layer, head.head),
    permutations,
    heads: order.slice(0, k).map((i) => ({
      ...headOf(others[i].layer, others[i].head),
      ...{ similarity: similarity[i], chance: chance[i], highestByChance: highest[i] },
      percentile: similarity.filter((other) => other < similarity[i]).length / Math.max(1, others.length - 1),
    })),
  });
}
