import type { BestMatch, CompareResult, HeadPair } from "../../results/compare.ts";
import type { Picture } from "../kit/svg.ts";
import { counted, shorten } from "../kit/text.ts";

/** The pictures of a comparison. */
export interface ComparePictures {
  /** Images at the ends of what pairs share, by their ids; null where a file is gone. */
  readonly pictureOf: ReadonlyMap<string, Picture | null>;
}

/** The images that its picture shows: those at the ends of what pairs have in common, all of the first index. */
export const imagesShown = ({ pairs }: CompareResult) =>
  pairs.flatMap(({ axis }) => [...axis.most, ...axis.least]);

/** Longest side of these pictures, in pixels. */
export const THUMBNAIL = 112;

const model = (name: string) => shorten(name, 40, (part) => part.length);

export const titleOf = ({ a, b }: CompareResult): string =>
  `Heads of ${model(a.origin.model.name)} and ${model(b.origin.model.name)} that respond alike`;

/** What must be known of both models, each said once. */
export function noticeOf({ a, b }: CompareResult): string | null {
  const notices = new Set([a, b].flatMap(({ origin }) => origin.model.notice ?? []));
  return notices.size > 0 ? [...notices].join(" ") : null;
}

/** Pairs of heads above chance that are each other's best match, in the order of the first model's heads. */
export const mutualPairs = ({ bestOfA, chance }: CompareResult): BestMatch[] =>
  bestOfA.filter(({ mutual, similarity }) => mutual && similarity > chance.highest);

/** What a cell means, and what chance gives. */
export function captionOf({ images, chance }: CompareResult): string {
  const meaning = `Each cell: how alike two heads see the same ${counted(images, "image")}, whatever the spaces they write into (linear CKA). 1: they tell images apart in the same way; 0: what one tells apart says nothing of the other.`;
  return `${meaning} ${chanceOf(chance)}`;
}

export const chanceOf = ({ mean, highest, permutations }: CompareResult["chance"]): string =>
  `With the images shuffled, two heads have ${score(mean)} on average, and no pair more than ${score(highest)} in ${counted(permutations, "permutation")}.`;

/** A similarity, with as many figures as small ones need. */
export const score = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);

/** `0.78 [0.76, 0.79]`. */
export const withInterval = ({ similarity, low, high }: HeadPair): string =>
  `${score(similarity)} [${score(low)}, ${score(high)}]`;

/** `background 76 % and 39 %, effect 15 % and 23 %`. */
export function factorsInWords({ factors }: HeadPair, most: number): string {
  const share = (value: number) => `${Math.round(100 * value)} %`;
  const shown = factors.slice(0, most).map(({ name, a, b }) => `${name} ${share(a)} and ${share(b)}`);
  return shown.length > 0 ? shown.join(", ") : "no known factor explains both";
}
