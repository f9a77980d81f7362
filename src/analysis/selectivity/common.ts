/**
 * What a set of images has in common: values of known factors that it has more often than all images, by an exact test.
 * Which images are in a set follows from what a head wrote and not from what is known of them, so where a head does not
 * care for a value, how often the set has it is hypergeometric. All that is tested for one page or search is corrected together: the
 * chance that it says anything where there is nothing is at most {@link LEVEL}.
 */
import { holm } from "../../math/holm.ts";
import { atLeastByChance } from "../../math/hypergeometric.ts";
import { LEVEL } from "../../math/tails.ts";
import type { CommonValue } from "../../results/shapes.ts";
import type { Grouping } from "./groupings.ts";

/** What is certain, and yet no more than so many times as frequent as among all, tells a reader nothing. */
const LEAST_LIFT = 1.5;
const MOST_COMMON = 3;

/**
 * Makes a function that says what sets of images have in common, each set's most over-represented value first.
 * @param all rows that the sets are of
 */
export function commonValues(
  all: readonly number[],
  groupings: readonly Grouping[],
): (sets: readonly (readonly number[])[]) => CommonValue[][] {
  const n = all.length;
  const known = groupings.map((grouping) => ({ ...grouping, overall: countsIn(all, grouping) }));
  return (sets) => {
    const found = sets.map((set) =>
      known.flatMap((grouping) => {
        const { name, values, overall } = grouping;
        const own = countsIn(set, grouping);
        return values.map((value, v) => {
          const said = { share: own[v] / set.length, overall: overall[v] / n };
          // What would not be said takes part in the correction all the same.
          const p =
            said.share >= LEAST_LIFT * said.overall ? atLeastByChance(own[v], set.length, overall[v], n) : 1;
          return { factor: name, value: String(value), ...said, p };
        });
      }),
    );
    const corrected = holm(found.flatMap((values) => values.map(({ p }) => p)));
    let at = 0;
    return found.map((values) =>
      values
        .map((value) => ({ ...value, p: corrected[at++] }))
        .filter(({ p }) => p <= LEVEL)
        .sort((a, b) => b.share - b.overall - (a.share - a.overall))
        .slice(0, MOST_COMMON),
    );
  };
}

function countsIn(rows: readonly number[], { values, groups }: Grouping): Float64Array {
  const counts = new Float64Array(values.length);
  for (const row of rows) if (groups[row] >= 0) counts[groups[row]]++;
  return counts;
}
