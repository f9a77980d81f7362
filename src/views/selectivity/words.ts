import { isAboveChance } from "../../math/tails.ts";
import type { FactorSelectivity, SelectivityResult } from "../../results/selectivity.ts";
import { counted, shorten } from "../kit/text.ts";

/** A component in its row: heads, MLP terms and the embedding alike. */
export interface Row {
  readonly name: string;
  /** Not of an MLP term, nor of the embedding. */
  readonly isHead: boolean;
  /** In the order of the result's factors. */
  readonly factors: readonly FactorSelectivity[];
}

/** Components of one layer, or such that belong to none, in the order in which they are drawn. */
export type Group = readonly Row[];

/** Rows from the top: the embedding, the layers with the last first, at the foot what belongs to none. */
export function groupsOf({ heads, mlps, embedding }: SelectivityResult): Group[] {
  const layers: Row[][] = [];
  const foot: Row[] = [];
  for (const { layer, name, factors } of heads) {
    layers[layer] ??= [];
    layers[layer].push({ name, isHead: true, factors });
  }
  for (const { component: name, factors } of mlps) {
    const layer = Number(/^L(\d+)\.MLP$/.exec(name)?.[1] ?? -1);
    (layers[layer] ?? foot).push({ name, isHead: false, factors });
  }
  const whole = { name: "embedding", isHead: false, factors: embedding.factors };
  return [[whole], ...layers.reverse(), foot].filter((group) => group.length > 0);
}

/** Heads by their share of a factor, highest first, those not above chance last; without those that ignore it. */
export function rankHeads({ heads }: SelectivityResult, factor: number): SelectivityResult["heads"] {
  const strength = ({ factors }: SelectivityResult["heads"][number]) =>
    factors[factor].share + (isAboveChance(factors[factor]) ? 2 : 0);
  return heads
    .filter(({ factors }) => factors[factor].share >= LEAST)
    .sort((a, b) => strength(b) - strength(a));
}

/** A share below this is written as 0.0 %. */
const LEAST = 0.0005;

/** The heads of {@link rankHeads} that are above chance. */
export const strongestHeads = (result: SelectivityResult, factor: number): SelectivityResult["heads"] =>
  rankHeads(result, factor).filter(({ factors }) => isAboveChance(factors[factor]));

/** Whether a component knows a factor and writes away from the text of what it sees. */
export const writesAway = (of: FactorSelectivity): boolean => isAboveChance(of) && of.sign === -1;

/** `own text lowest in 86 % of images, 20 % by chance`, for the sign that a component writes with. */
export function signInWords({ sign, margin }: FactorSelectivity, values: number): string {
  if (sign === null || margin === null) return "";
  const [place, of] = sign === 1 ? ["first", margin.first] : ["lowest", margin.last];
  const chance = `${Math.round(100 / values)} % by chance`;
  return `writes ${sign === 1 ? "towards" : "away from"} what it sees, own text ${place} in ${Math.round(100 * of)} % of images, ${chance}`;
}

/** A name for a place that has room, but not for everything. */
export const brief = (name: string) => shorten(name, 80, () => 1);

/** Per cent with a decimal. */
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A factor's size: `8 levels, 2,000 images`. */
export function sizeOf({ values, images }: SelectivityResult["factors"][number]): string {
  return `${counted(values, "level")}, ${counted(images, "image")}`;
}
