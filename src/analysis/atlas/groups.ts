/**
 * Images that a head sees alike: k-means of what it wrote into them, along its principal directions. A single direction has two
 * ends; a head that tells nine places apart shows them here.
 */
import { Random } from "../../math/random.ts";
import { pause } from "../../support/progress.ts";

/** How images are parted. */
export interface GroupOptions {
  /** Default: 8. */
  readonly groups?: number;
  /** Images shown of each. Default: 8. */
  readonly shown?: number;
  readonly seed?: number;
}

/** Images that groups are found among; the others are put to the nearest. */
const MOST_FITTED = 2000;
const ROUNDS = 40;
const STARTS = 4;

/** Images that are alike, by their rows in the index. */
export interface ImageGroup {
  readonly members: readonly number[];
  /** Some of them to show, from the middle outwards. */
  readonly images: number[];
}

/**
 * Parts images into groups, the largest first.
 * @param points [n, k]: coordinates along principal directions
 * @param rows [n]: rows of the index
 */
export async function groupImages(
  points: Float32Array,
  k: number,
  rows: readonly number[],
  { groups: wanted = 8, shown = 8, seed = 0 }: GroupOptions = {},
): Promise<ImageGroup[]> {
  const n = rows.length;
  const count = Math.min(wanted, n);
  if (count === 0) return [];
  const fitted = Array.from({ length: Math.min(n, MOST_FITTED) }, (_, i) =>
    Math.floor((i * n) / Math.min(n, MOST_FITTED)),
  );
  let best: Fit | undefined;
  for (let start = 0; start < STARTS; start++) {
    await pause();
    const fit = fitMeans(points, k, fitted, count, new Random(seed, start));
    if (!best || fit.spread < best.spread) best = fit;
  }
  const { means } = best!;
  const distances = new Float64Array(n);
  const members: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i < n; i++) {
    const near = nearest(points, k, i, means, count);
    distances[i] = near.distance;
    members[near.group].push(i);
  }
  return members
    .filter((group) => group.length > 0)
    .sort((a, b) => b.length - a.length || a[0] - b[0])
    .map((group) => {
      const sorted = [...group].sort((a, b) => distances[a] - distances[b] || a - b);
      const rowsOf = (members: readonly number[]) => members.map((i) => rows[i]);
      return { members: rowsOf(group), images: rowsOf(outwards(sorted, shown)) };
    });
}

/** From the middle of a group to three quarters of the way out: its outermost images belong to no group in truth. */
function outwards(sorted: readonly number[], shown: number): number[] {
  const inner = Math.max(Math.min(shown, sorted.length), Math.ceil(0.75 * sorted.length));
  const count = Math.min(shown, inner);
  return Array.from({ length: count }, (_, i) => sorted[Math.floor((i * inner) / count)]);
}

interface Fit {
  readonly means: Float64Array;
  readonly spread: number;
}

/** Lloyd's algorithm from a start by k-means++ (Arthur and Vassilvitskii 2007). */
function fitMeans(
  points: Float32Array,
  k: number,
  fitted: readonly number[],
  count: number,
  random: Random,
): Fit {
  const means = new Float64Array(count * k);
  const put = (group: number, i: number) => means.set(points.subarray(i * k, (i + 1) * k), group * k);
  put(0, random.pick(fitted));
  for (let group = 1; group < count; group++) {
    const far = fitted.map((i) => nearest(points, k, i, means, group).distance);
    let left = random.unit() * far.reduce((sum, value) => sum + value, 0);
    let chosen = 0;
    while (chosen < fitted.length - 1 && left >= far[chosen]) left -= far[chosen++];
    put(group, fitted[chosen]);
  }
  let spread = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Float64Array(count * k);
    const sizes = new Float64Array(count);
    let total = 0;
    for (const i of fitted) {
      const { group, distance } = nearest(points, k, i, means, count);
      total += distance;
      sizes[group]++;
      for (let d = 0; d < k; d++) sums[group * k + d] += points[i * k + d];
    }
    for (let group = 0; group < count; group++) {
      for (let d = 0; d < k && sizes[group] > 0; d++)
        means[group * k + d] = sums[group * k + d] / sizes[group];
    }
    if (!(total < spread * (1 - 1e-6))) break;
    spread = total;
  }
  return { means, spread };
}

function nearest(points: Float32Array, k: number, i: number, means: Float64Array, count: number) {
  let group = 0;
  let distance = Number.POSITIVE_INFINITY;
  for (let other = 0; other < count; other++) {
    let sum = 0;
    for (let d = 0; d < k; d++) sum += (points[i * k + d] - means[other * k + d]) ** 2;
    if (sum < distance) [group, distance] = [other, sum];
  }
  return { group, distance };
}
