/**
 * Numbers that stand in sentences and small tables of docs/, and what they are measured to be: printed by `npm run docs:prose`, held
 * by a long test.
 */
import { fewImages, insideTheNetwork, otherSets } from "./debias.ts";
import { halfPrecision, ofTexts, signs } from "./neighbors.ts";
import { plantedOutliers } from "./registers.ts";
import { meansOfValues, seedsApart } from "./weights.ts";

/** Words of a page that follow from what was measured. */
export interface ProseNumber {
  readonly page: string;
  readonly words: string;
}

/** By name, what measures a paragraph. Each takes seconds, `debias-inside` a minute or two. */
export const PARAGRAPHS: Readonly<Record<string, () => Promise<ProseNumber[]>>> = {
  "compare-seeds": seedsApart,
  "textspan-means": meansOfValues,
  "debias-few": fewImages,
  "debias-sets": otherSets,
  "debias-inside": insideTheNetwork,
  "neighbors-signs": signs,
  "neighbors-texts": ofTexts,
  "neighbors-half": halfPrecision,
  registers: plantedOutliers,
};

/** The words as a page has them, wherever its lines break. */
export const standsIn = (page: string, words: string): boolean => flat(page).includes(flat(words));

const flat = (text: string) => text.replaceAll(/\s+/g, " ");
