/*
 * Ways to take a property out of vectors by what is linear in it. Each is a map x ↦ x − Σ_j a_j·(b_j·(x − μ)).
 */
import { positiveSolver } from "./cholesky.ts";
import { addScaled, dot, norm } from "./linear.ts";

/** A map of vectors that takes something out of them. */
export interface Eraser {
  /** How many directions are taken out. */
  readonly directions: number;
  /** x, [D], without them. */
  erase(x: ArrayLike<number>): Float64Array;
}

/** Vectors with a group each, or none (−1). */
export interface GroupedVectors {
  /** [n, D] */
  readonly vectors: Float64Array;
  /** [n] */
  readonly groups: ArrayLike<number>;
  /** D */
  readonly width: number;
}

const eraserOf = (taken: readonly (readonly [Float64Array, Float64Array])[], mean: Float64Array): Eraser => ({
  directions: taken.length,
  erase(x) {
    const rest = Float64Array.from(x);
    const found = taken.map(([, b]) => dot(b, x) - dot(b, mean));
    for (const [j, [a]] of taken.entries()) addScaled(rest, -found[j], a);
    return rest;
  },
});

/** The orthogonal projection onto what is at right angles to all of some directions, [D] each. */
export function projectOut(directions: readonly Float64Array[]): Eraser {
  const basis: Float64Array[] = [];
  for (const direction of directions) {
    const rest = Float64Array.from(direction);
    // Twice, since once leaves rounding of nearly parallel directions.
    for (const b of [...basis, ...basis]) addScaled(rest, -dot(rest, b), b);
    const length = norm(rest);
    if (length > 1e-9 * norm(direction)) basis.push(rest.map((value) => value / length));
  }
  return eraserOf(
    basis.map((b) => [b, b] as const),
    new Float64Array(directions[0]?.length ?? 0),
  );
}

/** Projects out the differences between the groups' means: of two groups, one direction. */
export function projectOutMeans(of: GroupedVectors): Eraser {
  const { means } = groupMeans(of);
  return projectOut(means.slice(1).map((mean) => mean.map((value, d) => value - means[0][d])));
}

/** A share of the mean variance that is added to every direction's, so that one without variance does no harm. */
const RIDGE = 1e-9;

/**
 * LEACE: the map after which no linear classifier can tell the groups apart, and which changes the vectors least
 * ("LEACE: Perfect linear concept erasure in closed form", Belrose et al. 2023, theorem 4.3). With z the groups as
 * indicators and W = (Σ_xx^½)⁺,
 *
 *     r(x) = x − W⁺·P·W·(x − E x),   P the orthogonal projection onto the columns of W·Σ_xz
 *          = x − Σ_xz·(Σ_zx·Σ_xx⁺·Σ_xz)⁺·Σ_zx·Σ_xx⁺·(x − E x)
 *
 * The second line needs no square root: it subtracts what goes along with a linear regression of z on x.
 */
export function leace(of: GroupedVectors): Eraser {
  const { vectors, groups, width } = of;
  const { mean, means, counts, total } = groupMeans(of);
  const covariance = new Float64Array(width * width);
  const x = new Float64Array(width);
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] < 0) continue;
    for (let d = 0; d < width; d++) x[d] = vectors[i * width + d] - mean[d];
    for (let d = 0; d < width; d++)
      addScaled(covariance.subarray(d * width, d * width + d + 1), x[d] / total, x);
  }
  let trace = 0;
  for (let d = 0; d < width; d++) trace += covariance[d * width + d];
  for (let d = 0; d < width; d++) {
    covariance[d * width + d] += (RIDGE * trace) / width;
    for (let e = 0; e < d; e++) covariance[e * width + d] = covariance[d * width + e];
  }
  if (trace === 0) return eraserOf([], mean);
  // Indicators sum to one, so the last group's says nothing new.
  const cross = means
    .slice(0, -1)
    .map((of, g) => of.map((value, d) => ((value - mean[d]) * counts[g]) / total));
  const solve = positiveSolver(covariance, width);
  const read = cross.map((column) => solve(column));
  const k = cross.length;
  const explained = Float64Array.from({ length: k * k }, (_, i) =>
    dot(cross[Math.floor(i / k)], read[i % k]),
  );
  let most = 0;
  for (let j = 0; j < k; j++) most = Math.max(most, explained[j * k + j]);
  if (most === 0) return eraserOf([], mean);
  for (let j = 0; j < k; j++) explained[j * k + j] += RIDGE * most;
  const within = positiveSolver(explained, k);
  const back = Array.from({ length: k }, () => new Float64Array(width));
  for (let d = 0; d < width; d++) {
    const weights = within(cross.map((column) => column[d]));
    for (let j = 0; j < k; j++) back[j][d] = weights[j];
  }
  return eraserOf(
    back.map((a, j) => [a, read[j]] as const),
    mean,
  );
}

/** Means of the groups that occur, in their order, and of all. */
function groupMeans({ vectors, groups, width }: GroupedVectors) {
  const found = new Map<number, { sum: Float64Array; n: number }>();
  const mean = new Float64Array(width);
  let total = 0;
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] < 0) continue;
    const own = found.get(groups[i]) ?? { sum: new Float64Array(width), n: 0 };
    found.set(groups[i], own);
    addScaled(own.sum, 1, vectors, i * width);
    addScaled(mean, 1, vectors, i * width);
    own.n++;
    total++;
  }
  const inOrder = [...found].sort(([a], [b]) => a - b).map(([, of]) => of);
  return {
    mean: mean.map((value) => value / Math.max(1, total)),
    means: inOrder.map(({ sum, n }) => sum.map((value) => value / n)),
    counts: inOrder.map(({ n }) => n),
    total,
  };
}
