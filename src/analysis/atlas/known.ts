/** What is known of heads by the known factors of images. */
import { readsTexts } from "../../checkpoint/model-config.ts";
import type { Index } from "../../corpus/open-index.ts";
import { isAboveChance } from "../../math/tails.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { embedTexts } from "../../model/text-cache.ts";
import type { AtlasEffect, AtlasFactor } from "../../results/atlas.ts";
import type { Grouping } from "../selectivity/groupings.ts";
import { explainWithSigns } from "../selectivity/selectivity.ts";
import { factorsWithTexts, measureEffects } from "./effects.ts";
import type { AtlasOptions } from "./options.ts";

/** Permutations of the factors: enough to say what a head follows. */
const PERMUTATIONS = 5;

/** [L·H][factors], strongest first; undefined where nothing is known of the images. */
export async function factorsOf(
  model: ClipModel,
  index: Index,
  groupings: readonly Grouping[],
  { selectivity, report, signal }: AtlasOptions,
): Promise<AtlasFactor[][] | undefined> {
  if (groupings.length === 0) return undefined;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const { factors, heads } =
    selectivity ?? (await explainWithSigns(model, index, { groupings, permutations: PERMUTATIONS, ...work }));
  return heads.map(({ factors: of }) =>
    factors
      .map(({ name }, f): AtlasFactor => {
        const { share, sign, margin } = of[f];
        return { factor: name, share, beyondChance: isAboveChance(of[f]), sign, margin };
      })
      .sort((a, b) => b.share - a.share),
  );
}

/** What each head is worth to telling factors' values apart: [L·H][factors]. */
export async function effectsOf(
  model: ClipModel,
  index: Index,
  groupings: readonly Grouping[],
  { cacheFolder, report, signal }: AtlasOptions,
): Promise<AtlasEffect[][]> {
  const none = Array.from({ length: model.geometry.layers * model.geometry.heads }, () => []);
  if (!readsTexts(model.config.text)) return none;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  return measureEffects(model, index, factorsWithTexts(index, groupings), {
    ...work,
    embed: (texts) =>
      embedTexts(model, texts, { ...work, ...(cacheFolder !== undefined && { cacheFolder }) }),
  });
}
