import type { CorpusImage, Insights } from "./api.ts";

/** Factors of the generated world in words that a stranger understands: what differs between two pictures. */
const WORDS: Readonly<Record<string, string>> = {
  background: "the colour behind",
  backdrop: "whether the backdrop is plain or shaded",
  position: "where in the picture the thing is",
  count: "how many things there are",
  size: "how large the thing is",
  concept: "what the thing is",
  other: "what the second thing is",
  group: "which kind of thing it is",
  style: "the drawing style",
  effect: "how the photo was treated (dark, blurred, grainy …)",
  arrangement: "how the things are arranged",
  label: "the label",
};

/** A factor in words. */
export const inWords = (factor: string): string => WORDS[factor] ?? factor;

/** What a head follows: a factor, and the share of what the head writes that it explains. */
export interface Follows {
  readonly factor: string;
  readonly share: number;
}

/** What one head follows beyond chance, most first. */
export function follows({ selectivity }: Insights, head: string): Follows[] {
  const own = selectivity.heads.find(({ name }) => name === head);
  return (own?.factors ?? [])
    .map(({ share, explained, highestByChance }, i) => ({
      factor: selectivity.factors[i].name,
      share: explained > highestByChance ? share : 0,
    }))
    .filter(({ share }) => share > 0.03)
    .sort((a, b) => b.share - a.share);
}

/** One of the heads that the tour shows. */
export interface TourStop {
  readonly head: string;
  readonly factor: string;
  /** Of the eight nearest pictures, how many share the factor on average, and by chance. */
  readonly hits: number;
  readonly chance: number;
  readonly k: number;
}

/** How well heads retrieve, wherever that was measured. */
type Retrieval = Omit<Insights["retrieval"], "origin">;

/**
 * The three most clearly selective heads: those through which the nearest pictures share a factor most often beyond
 * chance, measured on images that they were not chosen on; each head and each factor once.
 */
export function tourStops({ retrieval }: { readonly retrieval: Retrieval }): TourStop[] {
  const { factors, rows, k } = retrieval;
  const stops = rows.flatMap(({ chosenFor, heads, precisionAtK }) => {
    const i = factors.findIndex(({ name }) => name === chosenFor);
    if (i < 0 || heads.length !== 1) return [];
    const { chance } = factors[i];
    const { mean, low } = precisionAtK[i];
    if (low <= chance) return [];
    return [
      { head: heads[0].name, factor: chosenFor, hits: mean, chance, k, lift: (mean - chance) / (1 - chance) },
    ];
  });
  const chosen: TourStop[] = [];
  for (const { lift: _, ...stop } of stops.sort((a, b) => b.lift - a.lift)) {
    if (chosen.length < 3 && !chosen.some(({ head }) => head === stop.head)) chosen.push(stop);
  }
  return chosen;
}

/** Whether an image has more than one value in a factor's place. */
export const factorOf = ({ factors }: Pick<CorpusImage, "factors">, factor: string) =>
  factors[factor] ?? null;

/** A text about one factor of a scene, for a tour: what the head should hear. */
export function textAbout(factor: string, image: CorpusImage): string {
  const value = String(factorOf(image, factor));
  const concept = String(image.factors.concept ?? image.label ?? "picture");
  const thing = `${/^[aeiou]/.test(concept) ? "an" : "a"} ${concept}`;
  switch (factor) {
    case "background":
      return `${thing} with a ${value} background`;
    case "position":
      return value === "left" || value === "right" ? `${thing} on the ${value}` : `${thing} at the ${value}`;
    case "backdrop":
      return `${thing} on a ${value} backdrop`;
    default:
      return thing;
  }
}

/** What some images have in common. */
export interface InCommon {
  readonly factor: string;
  readonly value: string;
  readonly count: number;
  readonly of: number;
}

/** For each factor the commonest value among images and how many have it, most first. */
export function inCommon(images: readonly CorpusImage[]): InCommon[] {
  const names = new Set(images.flatMap(({ factors }) => Object.keys(factors)));
  return [...names]
    .flatMap((factor) => {
      const counts = new Map<string, number>();
      for (const image of images) {
        const value = factorOf(image, factor);
        if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
      }
      const [best] = [...counts].sort((a, b) => b[1] - a[1]);
      return best ? [{ factor, value: best[0], count: best[1], of: images.length }] : [];
    })
    .sort((a, b) => b.count - a.count);
}
