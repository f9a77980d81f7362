/**
 * TEXTSPAN and tags: the texts that explain most of what varies in a head's contributions, chosen greedily; the commonest
 * property of the first five is the label, of several the one that explains more.
 *
 * "Interpreting CLIP's Image Representation via Text-Based Decomposition" (Gandelsman, Efros & Steinhardt, ICLR 2024),
 * algorithm 1. The paper's authors named heads by hand, the CCS paper by a language model; here the pool's tags do.
 */
import { projectTexts, selectInSpace } from "../../analysis/textspan/textspan.ts";
import type { Described } from "../../labeling/labeller.ts";
import { checkCancelled } from "../../support/progress.ts";
import { type Bench, tally } from "../bench.ts";
import { claimOf, type Method, TEXTS } from "../method.ts";

/** Every head's five texts. */
export async function describe(
  bench: Bench,
): Promise<(Described & { readonly chosen: readonly number[] })[]> {
  const { algebra, embeddings, texts, signal } = bench;
  const described = [];
  for (const head of bench.heads) {
    checkCancelled(signal);
    const space = await bench.spaceOf(head);
    const coordinates = await projectTexts(algebra, space, embeddings.data);
    const { selected, variances } = await selectInSpace(algebra, space, coordinates, TEXTS);
    const descriptions = selected.map((text, step) => ({
      ...texts[text],
      explainedVariance: variances[step] / space.totalVariance,
    }));
    described.push({ ...head, chosen: selected, descriptions });
  }
  return described;
}

export const textspanTags: Method = {
  key: "textspan",
  name: "TEXTSPAN + tags",
  paper: "Gandelsman, Efros & Steinhardt 2024",
  reads: ["images", "texts"],
  async judge(bench) {
    return (await describe(bench)).map(({ chosen, descriptions, ...head }) =>
      // A vote each; what the texts explain, which sums to less than one, decides between equals.
      claimOf(
        head,
        bench,
        tally(
          bench,
          chosen.map((text, i) => [text, 1 + descriptions[i].explainedVariance]),
        ),
      ),
    );
  },
};
