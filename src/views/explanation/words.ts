import type { Explanation } from "../../results/explain.ts";
import type { Head } from "../../results/shapes.ts";

/** One part of the model by its name, with what it contributed. */
export interface NamedContribution {
  readonly name: string;
  readonly value: number;
}

/** A head among the strongest, with its place and its name. */
export type RankedHead = Head & NamedContribution;

/** Up to this difference, which float32 rounding explains, a sum is called exact. */
const EXACT = 1e-5;

/** Heads, MLPs and `embed`, largest contribution first, whatever its sign; equal ones stay in the model's order. */
export function rankContributions({ heads, mlps }: Explanation): NamedContribution[] {
  const terms = mlps.map(({ component, value }) => ({ name: component, value }));
  return largestFirst<NamedContribution>([...heads, ...terms]);
}

/** The heads alone, in the order of {@link rankContributions}. */
export const rankHeads = ({ heads }: Explanation): RankedHead[] => largestFirst(heads);

const largestFirst = <T extends NamedContribution>(parts: readonly T[]): T[] =>
  [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));

/** Texts by similarity, highest first; equal ones stay in the order given. */
export function rankTexts(texts: readonly Explanation[]): Explanation[] {
  return [...texts].sort((a, b) => b.similarity - a.similarity);
}

/** Whether the contributions add up to the similarity, but for rounding. */
export function sumsExactly(input: Explanation): boolean {
  return input.error <= EXACT;
}

/**
 * The largest contribution of a head among all `inputs`: the limit of the colour scale that they share. MLPs can
 * be ten times larger and would wash every head out; their cells carry their number.
 */
export function sharedLimit(inputs: readonly Explanation[]): number {
  const largest = (values: number[]) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const ofHeads = largest(inputs.flatMap(({ heads }) => heads.map(({ value }) => value)));
  return ofHeads || largest(inputs.flatMap(({ mlps }) => mlps.map(({ value }) => value)));
}

/** Whether any contribution lies beyond `limit`, so that its colour understates it. */
export function anyBeyond(inputs: readonly Explanation[], limit: number): boolean {
  return inputs.some(({ heads, mlps }) => [...heads, ...mlps].some(({ value }) => Math.abs(value) > limit));
}
