import { isAboveChance } from "../../../src/math/tails.ts";
import type { Margin } from "../../../src/results/selectivity.ts";
import type { CorpusImage, Insights, Properties } from "./api.ts";

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
  /** Whether it writes towards the text of what it sees, or away from it. */
  readonly sign: 1 | -1 | null;
}

/** What one head follows beyond chance, most first. */
export function follows(
  { selectivity }: { readonly selectivity: Pick<Insights["selectivity"], "factors" | "heads"> },
  head: string,
): Follows[] {
  const own = selectivity.heads.find(({ name }) => name === head);
  return (own?.factors ?? [])
    .map((of, i) => ({
      factor: selectivity.factors[i].name,
      share: isAboveChance(of) ? of.share : 0,
      sign: of.sign,
    }))
    .filter(({ share }) => share > 0.03)
    .sort((a, b) => b.share - a.share);
}

/** Whether the pictures nearest through a property's heads were measured to share it no more than by chance. */
export const isNoBetter = ({ precision }: Pick<Properties["properties"][number], "precision">): boolean =>
  precision !== null && precision.low <= precision.chance;

/** `5.8 of 8, 0.5 by chance`. */
export const hitsInWords = ({ k, mean, chance }: { k: number; mean: number; chance: number }): string =>
  `${tenths(mean * k)} of ${k}, ${tenths(chance * k)} by chance`;

const tenths = (count: number): string =>
  count === 0 || count >= 0.1 ? count.toFixed(1) : count.toPrecision(1);

/** One of the heads that the tour shows. */
export interface TourStop {
  readonly head: string;
  /** What the head follows most; of one that makes up for another, what that one follows. */
  readonly factor: string;
  /** It speaks for what it sees, or against it, or makes up for one that does. */
  readonly role: "for" | "against" | "makes up";
  /** Share of what the head writes that follows the factor. */
  readonly share: number;
  /** The values that the factor has, and so the texts that compete. */
  readonly values: number;
  /** Of the texts of all values, how the head and the whole model score that of the picture's own. */
  readonly own: Margin | null;
  readonly whole: Margin | null;
  /** Of the k nearest pictures, the share with the same value, on average and by chance, where that was measured. */
  readonly nearest: {
    readonly mean: number;
    readonly low: number;
    readonly chance: number;
    readonly k: number;
  } | null;
}

/** What the tour needs of what was measured of heads, wherever that was. */
interface Measured {
  readonly selectivity: Pick<Insights["selectivity"], "factors" | "heads" | "embedding">;
  readonly retrieval: Omit<Insights["retrieval"], "origin">;
}

/** Smallest lift at which nearest pictures plainly share something; 0 is chance, 1 always. */
const PLAIN = 0.1;
const lift = (mean: number, chance: number) => (mean - chance) / (1 - chance);

/**
 * Three heads to meet, by one ranking, the share of what a head writes that follows what it follows most. First the clearest one
 * that speaks for what it sees and through which the nearest pictures plainly share it. Then, where there is one, the
 * clearest that speaks against what it sees, in most pictures most of all, and the head that makes up for it. Else two more
 * clear ones. Each head and each factor once.
 */
export function tourStops({ selectivity, retrieval }: Measured): TourStop[] {
  const { factors, heads, embedding } = selectivity;
  const stopOf = (head: string, f: number, role: TourStop["role"]): TourStop => {
    const of = heads.find(({ name }) => name === head)?.factors[f];
    return {
      ...{ head, factor: factors[f].name, role, values: factors[f].values },
      share: of?.share ?? 0,
      own: of?.margin ?? null,
      whole: embedding.factors[f].margin,
      nearest: nearestThrough(retrieval, head, factors[f].name),
    };
  };
  const ranked = heads
    .flatMap(({ name, factors: of }) => {
      const f = of.reduce((best, { share }, i) => (share > (of[best]?.share ?? 0) ? i : best), 0);
      return of[f] && isAboveChance(of[f]) ? [{ name, f, ...of[f] }] : [];
    })
    .sort((a, b) => b.share - a.share);
  const opposed = ranked.find(
    ({ sign, margin, f }) => sign === -1 && margin && lift(margin.last, 1 / factors[f].values) > 0.5,
  );
  const makesUp = opposed && strongestFor(heads, opposed.f);
  const pair =
    opposed && makesUp
      ? [stopOf(opposed.name, opposed.f, "against"), stopOf(makesUp, opposed.f, "makes up")]
      : [];
  const clear: TourStop[] = [];
  for (const { name, f, sign } of ranked) {
    const stop = stopOf(name, f, "for");
    const isNew = ![...clear, ...pair].some(({ head, factor }) => head === name || factor === stop.factor);
    const { nearest } = stop;
    const isPlain = nearest && nearest.low > nearest.chance && lift(nearest.mean, nearest.chance) >= PLAIN;
    if (clear.length + pair.length < 3 && sign !== -1 && isNew && isPlain) clear.push(stop);
  }
  return [...clear, ...pair];
}

/** The head that adds most to the lead of the right text. */
function strongestFor(heads: Measured["selectivity"]["heads"], f: number): string | undefined {
  const towards = heads.filter(({ factors }) => factors[f].sign === 1);
  const leadOf = ({ factors }: (typeof heads)[number]) => factors[f].margin?.mean ?? 0;
  return towards.sort((a, b) => leadOf(b) - leadOf(a))[0]?.name;
}

/** What was measured of the pictures nearest through one head, by the factor that it was chosen for. */
function nearestThrough({ factors, rows, k }: Measured["retrieval"], head: string, factor: string) {
  const f = factors.findIndex(({ name }) => name === factor);
  const row = rows.find(
    ({ chosenFor, heads }) => chosenFor === factor && heads.length === 1 && heads[0].name === head,
  );
  if (!row || f < 0) return null;
  const { mean, low } = row.precisionAtK[f];
  return { mean, low, chance: factors[f].chance, k };
}

/** Whether an image has more than one value in a factor's place. */
export const factorOf = ({ factors }: Pick<CorpusImage, "factors">, factor: string) =>
  factors[factor] ?? null;

const PLACES: Readonly<Record<string, string>> = { left: "on the", right: "on the", centre: "in the" };

/** A text about one factor of a scene, for a tour: what the head should hear. @param value its own, or another to compare with */
export function textAbout(
  factor: string,
  image: CorpusImage,
  value = String(factorOf(image, factor)),
): string {
  const concept = String(image.factors.concept ?? image.label ?? "picture");
  const thing = `${/^[aeiou]/.test(concept) ? "an" : "a"} ${concept}`;
  switch (factor) {
    case "background":
      return `${thing} with a ${value} background`;
    case "position":
      return `${thing} ${PLACES[value] ?? "at the"} ${value}`;
    case "backdrop":
      return `${thing} on a ${value} backdrop`;
    default:
      return thing;
  }
}

/** The commonest value of a factor among images, and how many have it. */
export function commonest(images: readonly CorpusImage[], factor: string) {
  const counts = new Map<string, number>();
  for (const image of images) {
    const value = factorOf(image, factor);
    if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1]);
  return best && { factor, value: best[0], count: best[1] };
}
