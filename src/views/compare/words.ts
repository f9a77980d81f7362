import type { Picture } from "../kit/svg.ts";
import { counted, shorten } from "../kit/text.ts";

/** How alike the heads of two models respond to the same images. All numbers are finite. */
export interface HeadMatchInput {
  readonly a: string;
  readonly b: string;
  readonly images: number;
  /** Heads of both, layer by layer: `L0.H0`, … */
  readonly headsA: readonly string[];
  readonly headsB: readonly string[];
  /** [A][B]: linear CKA, 0–1. */
  readonly similarity: readonly (readonly number[])[];
  readonly chance: { readonly mean: number; readonly highest: number; readonly permutations: number };
  /** Pairs that are each other's best match, as positions among the heads. */
  readonly mutual: readonly { readonly a: number; readonly b: number }[];
  /** Some of them in detail, best first. */
  readonly pairs: readonly HeadMatch[];
  readonly notice?: string;
}

/** Two heads that respond alike, and to what. */
export interface HeadMatch {
  readonly a: string;
  readonly b: string;
  readonly similarity: number;
  readonly low: number;
  readonly high: number;
  readonly chance: number;
  /** Factors that explain something of both, with the share of each; strongest first. */
  readonly factors: readonly { readonly name: string; readonly a: number; readonly b: number }[];
  /** What they have most in common: images at its two ends; null where a file is gone. */
  readonly axis: {
    readonly share: number;
    readonly correlation: number;
    readonly least: readonly (Picture | null)[];
    readonly most: readonly (Picture | null)[];
  };
}

const model = (name: string) => shorten(name, 40, (part) => part.length);

export const titleOf = ({ a, b }: HeadMatchInput): string =>
  `Heads of ${model(a)} and ${model(b)} that respond alike`;

/** What a cell means, and what chance gives. */
export function captionOf({ images, chance }: HeadMatchInput): string {
  const meaning = `Each cell: how alike two heads see the same ${counted(images, "image")}, whatever the spaces they write into (linear CKA). 1: they tell images apart in the same way; 0: what one tells apart says nothing of the other.`;
  return `${meaning} ${chanceOf(chance)}`;
}

export const chanceOf = ({ mean, highest, permutations }: HeadMatchInput["chance"]): string =>
  `With the images shuffled, two heads have ${score(mean)} on average, and no pair more than ${score(highest)} in ${counted(permutations, "permutation")}.`;

/** A similarity, with as many figures as small ones need. */
export const score = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);

/** `0.78 [0.76, 0.79]`. */
export const withInterval = ({ similarity, low, high }: HeadMatch): string =>
  `${score(similarity)} [${score(low)}, ${score(high)}]`;

/** `background 76 % and 39 %, effect 15 % and 23 %`. */
export function factorsInWords({ factors }: HeadMatch, most: number): string {
  const share = (value: number) => `${Math.round(100 * value)} %`;
  const shown = factors.slice(0, most).map(({ name, a, b }) => `${name} ${share(a)} and ${share(b)}`);
  return shown.length > 0 ? shown.join(", ") : "no known factor explains both";
}

export const layerOf = (head: string): number => Number(/^L(\d+)\./.exec(head)?.[1] ?? 0);
