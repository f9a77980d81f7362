/**
 * Zero-shot classification from scores: an image is taken for the class of its contest with the highest score, and
 * counted by class and by group. Worst-group accuracy is that of "Distributionally Robust Neural Networks for Group
 * Shifts" (Sagawa et al., 2020). Intervals are Wilson's, 95 %; the worst group's is that of the minimum.
 */
import { minimumShare } from "../../math/minimum.ts";
import { wilson } from "../../math/wilson.ts";
import type { NamedShare, Share } from "../../results/accuracy.ts";
import type { ZeroShotAccuracy } from "../../results/zero-shot.ts";
import type { ClassSet } from "./classes.ts";

/** A partition of images: names of the groups, and each image's group or −1. */
export interface Partition {
  readonly names: readonly string[];
  readonly groups: Int32Array;
}

/** [C]: the number of each class's contest. */
export function contestsOf({ classes }: ClassSet): Int32Array {
  const numbers = new Map<string | null, number>();
  return Int32Array.from(classes, ({ contest }) => {
    const number = numbers.get(contest) ?? numbers.size;
    numbers.set(contest, number);
    return number;
  });
}

/**
 * [n]: 1 where an image is taken for what it is, 0 elsewhere. Of equal scores the earlier class wins.
 * @param scores [n, C]
 * @param truth [n]: each image's class, none −1
 * @param contests [C]: an image chooses among the classes of its own class's contest
 */
export function hitsOf(
  scores: Float64Array | Float32Array,
  truth: Int32Array,
  contests: Int32Array,
): Uint8Array {
  const classes = contests.length;
  const hits = new Uint8Array(truth.length);
  for (let i = 0, at = 0; i < truth.length; i++, at += classes) {
    const contest = contests[truth[i]];
    let best = -1;
    for (let c = 0; c < classes; c++) {
      if (contests[c] !== contest) continue;
      if (best < 0 || scores[at + c] > scores[at + best]) best = c;
    }
    hits[i] = best === truth[i] ? 1 : 0;
  }
  return hits;
}

/** The share of hits. */
export function shareOf(hits: Uint8Array): Share {
  let sum = 0;
  for (const hit of hits) sum += hit;
  return wilson(sum, hits.length);
}

/** The share of hits in each group, in the order of the names; groups without images are left out. */
export function sharesOf(hits: Uint8Array, { names, groups }: Partition): NamedShare[] {
  const sums = new Float64Array(names.length);
  const counts = new Float64Array(names.length);
  for (let i = 0; i < hits.length; i++) {
    if (groups[i] < 0) continue;
    sums[groups[i]] += hits[i];
    counts[groups[i]]++;
  }
  return names.flatMap((name, group) =>
    counts[group] === 0 ? [] : [{ name, ...wilson(sums[group], counts[group]) }],
  );
}

/**
 * The group of lowest accuracy; the earlier of ties, null of none. Its interval is that of the lowest accuracy of all
 * groups (`math/minimum.ts`), not of the one that was selected for being the lowest.
 */
export function worstOf(groups: readonly NamedShare[]): NamedShare | null {
  const [first, ...others] = groups;
  if (!first) return null;
  const worst = others.reduce((lowest, group) => (group.share < lowest.share ? group : lowest), first);
  const { low, high } = minimumShare(groups.map(({ share, n }) => ({ hits: Math.round(share * n), n })));
  return { ...worst, low, high };
}

/** Counts hits in all ways. @param groups a partition beyond the classes */
export function accuracyOf(
  hits: Uint8Array,
  truth: Int32Array,
  { classes }: ClassSet,
  groups?: Partition,
): ZeroShotAccuracy {
  const byGroup = groups ? sharesOf(hits, groups) : [];
  return {
    all: shareOf(hits),
    classes: sharesOf(hits, { names: classes.map(({ name }) => name), groups: truth }),
    groups: byGroup,
    worst: worstOf(byGroup),
  };
}
