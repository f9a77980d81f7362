/**
 * Whether heads of other trainings that respond alike get the same label. Heads of two trainings of one recipe are matched by
 * linear CKA over the images that both indexes hold, each the other's best; their labels are then compared, beside labels that
 * are dealt out again within the layers of one side.
 */

import { similarities } from "../analysis/compare/cka.ts";
import {
  type ComparedSide,
  drawn,
  matchHeads,
  responses,
  sharedImages,
} from "../analysis/compare/compare.ts";
import { percentileInterval } from "../math/intervals.ts";
import type { RefereeMatched } from "../results/referee.ts";
import { type ChanceOptions, dealLabels, layerOf, shareAsHigh } from "./score.ts";

/** Images that heads are matched by, at most. */
const MOST_IMAGES = 1000;

/** Heads of two models that are each other's best match, by their number among the compared. */
export async function matchedHeads(
  a: ComparedSide,
  b: ComparedSide,
  seed: number,
): Promise<[number, number][]> {
  const rows = drawn(sharedImages(a.index, b.index).rows, MOST_IMAGES, seed);
  const ofA = await responses(
    a.model.matmul,
    a,
    rows.map(([row]) => row),
  );
  const ofB = await responses(
    a.model.matmul,
    b,
    rows.map(([, row]) => row),
  );
  const best = matchHeads(await similarities(a.model.matmul, ofA, ofB), ofA.heads, ofB.heads);
  return best.ofA.flatMap((match, head): [number, number][] =>
    best.ofB[match] === head ? [[head, match]] : [],
  );
}

/** A head with its label. */
export interface LabelledHead {
  readonly model: string;
  readonly layer: number;
  readonly name: string;
  readonly label: string | null;
}

/** A head of a model, as pairs name it. */
export const keyOf = ({ model, name }: Pick<LabelledHead, "model" | "name">): string => `${name} ${model}`;

/**
 * Compares the labels of matched heads; null of no pairs. A head may be in several pairs, so it keeps one label in all of
 * them when labels are dealt out again.
 */
export function scoreMatched(
  heads: readonly LabelledHead[],
  pairs: readonly (readonly [a: string, b: string])[],
  options: ChanceOptions,
): RefereeMatched | null {
  const places = new Map(heads.map((head, i) => [keyOf(head), i]));
  const numbered = pairs.flatMap(([a, b]) => {
    const [x, y] = [places.get(a), places.get(b)];
    return x === undefined || y === undefined ? [] : [[x, y] as const];
  });
  if (numbered.length === 0) return null;
  const sameOf = (labels: readonly (string | null)[]) =>
    numbered.filter(([x, y]) => labels[x] !== null && labels[x] === labels[y]).length;
  const same = sameOf(heads.map(({ label }) => label));
  const byChance = dealLabels(heads, layerOf, options, sameOf);
  return {
    ...{ pairs: numbered.length, same },
    byChance: percentileInterval(byChance.map((count) => count / numbered.length)),
    p: shareAsHigh(byChance, same),
  };
}
