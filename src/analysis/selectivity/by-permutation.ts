/**
 * How often a partition into groups explains as much of some vectors when it is shuffled, without shuffling.
 *
 * The scatter between groups is tr(K·H) for the centred Gram matrix K of the vectors and H, which projects onto what is
 * constant in groups. Over all permutations of the groups its mean and variance are exact functions of a few traces of K and H
 * (Kazi-Aoual, Hitier, Sabatier & Lebreton, "Refined approximations to permutation tests for multivariate inference", 1995). For many
 * vectors it is a weighted sum of χ², weights being the eigenvalues of K; the tail is that of the gamma distribution with this mean,
 * variance and skewness (Pearson's type III).
 */
import { gammaTail } from "../../math/tails.ts";

/** What of vectors, centred, the permutations of any groups depend on. */
export interface Traces {
  readonly n: number;
  /** tr K = Σ ‖x‖². */
  readonly first: number;
  /** tr K². */
  readonly second: number;
  /** tr K³. */
  readonly third: number;
  /** Σ K_ii² = Σ ‖x‖⁴. */
  readonly diagonal: number;
}

/**
 * The traces of vectors out of their second moments.
 * @param moments Σ x·xᵀ of centred coordinates, [width, width]
 * @param metric what their inner product is; none for the plain one
 */
export function tracesOf(
  { n, first, diagonal }: Pick<Traces, "n" | "first" | "diagonal">,
  moments: ArrayLike<number>,
  width: number,
  metric: Float64Array | undefined,
): Traces {
  const product = metric ? squareProduct(moments, metric, width) : moments;
  const squared = squareProduct(product, product, width);
  let [second, third] = [0, 0];
  for (let i = 0; i < width; i++) {
    second += squared[i * width + i];
    for (let j = 0; j < width; j++) third += squared[i * width + j] * product[j * width + i];
  }
  return { n, first, diagonal, second, third };
}

function squareProduct(a: ArrayLike<number>, b: ArrayLike<number>, width: number): Float64Array {
  const product = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < width; k++) {
      const value = a[i * width + k];
      for (let j = 0; j < width; j++) product[i * width + j] += value * b[k * width + j];
    }
  }
  return product;
}

/**
 * The share of all permutations in which groups of these sizes explain at least this much.
 * @param between the scatter between groups, Σ_g n_g·‖x̄_g‖²
 */
export function shareAsHigh(
  { n, first, second, third, diagonal }: Traces,
  sizes: readonly number[],
  between: number,
): number {
  if (n < 5 || !(first > 0)) return 1;
  const free = sizes.length - 1;
  const diagonalOfGroups = sizes.reduce((sum, size) => sum + size * (1 / size - 1 / n) ** 2, 0);
  const mean = (first * free) / (n - 1);
  const excess = (T: number, T2: number) => (n - 1) * T2 - T ** 2;
  const spread = (T: number, T2: number, S2: number) => n * (n + 1) * S2 - (n - 1) * (T ** 2 + 2 * T2);
  const variance =
    (2 * excess(first, second) * excess(free, free)) / ((n - 1) ** 2 * (n + 1) * (n - 2)) +
    (spread(first, second, diagonal) * spread(free, free, diagonalOfGroups)) /
      ((n + 1) * n * (n - 1) * (n - 2) * (n - 3));
  if (!(variance > 0)) return 1;
  // Of Σ λ·χ² with `free` degrees of freedom.
  const skewness = (8 * third) / Math.sqrt(free * (2 * second) ** 3);
  const shape = 4 / skewness ** 2;
  return gammaTail(shape, shape + (Math.sqrt(shape) * (between - mean)) / Math.sqrt(variance));
}
