/**
 * What the variance that TEXTSPAN explains is compared with: texts drawn at random and made orthogonal in the same way,
 * random directions, and the principal components, which no choice of k directions can exceed.
 */
import { symmetricEigenvalues } from "../../math/eigenvalues.ts";
import { quantile } from "../../math/intervals.ts";
import { dot, norm } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import type { ControlCurves } from "../../results/textspan.ts";
import { type RowSpace, removeAll, trace } from "./row-space.ts";

/**
 * Controls for a selection of `steps` texts.
 * @param texts [t, r] in the coordinates of the space
 */
export async function controlCurves(
  algebra: Algebra,
  space: RowSpace,
  texts: DenseMatrix,
  steps: number,
  { draws = 50, seed = 0 }: { readonly draws?: number; readonly seed?: number } = {},
): Promise<ControlCurves> {
  const { covariance, rank, totalVariance } = space;
  const drawn = Array.from({ length: draws }, (_, draw) =>
    randomDirections(texts, steps, new Random(seed, draw)),
  );
  const variances = await variancesAlong(algebra, covariance, drawn.flat());
  let from = 0;
  const curves = drawn.map(({ length }) => {
    const curve = cumulative(variances.slice(from, from + length));
    from += length;
    return length > 0 ? curve : [0];
  });
  const at = (k: number) => curves.map((curve) => curve[Math.min(k, curve.length - 1)] / totalVariance);
  const ks = Array.from({ length: steps }, (_, k) => k);
  const within = trace(covariance) / totalVariance;
  return {
    randomTexts: {
      mean: ks.map((k) => at(k).reduce((sum, value) => sum + value, 0) / draws),
      low: ks.map((k) => quantile(at(k), 0.025)),
      high: ks.map((k) => quantile(at(k), 0.975)),
      draws,
    },
    randomDirections: ks.map((k) => (within * Math.min(rank, k + 1)) / rank),
    ceiling:
      steps === 0
        ? []
        : cumulative([...symmetricEigenvalues(covariance.data, rank).subarray(0, steps)]).map(
            (sum) => sum / totalVariance,
          ),
  };
}

/** A text of which less than this share is not a sum of earlier ones is passed over. */
const LEAST_OWN = 1e-6;

/** Directions of texts drawn without replacement, each less the earlier ones. */
function randomDirections(texts: DenseMatrix, steps: number, random: Random): Float64Array[] {
  const r = texts.columns;
  const order = new Int32Array(texts.rows).map((_, i) => i);
  const directions: Float64Array[] = [];
  for (let drawn = 0; drawn < order.length && directions.length < steps; drawn++) {
    const other = drawn + random.below(order.length - drawn);
    const text = order[other];
    order[other] = order[drawn];
    order[drawn] = text;
    const u = texts.data.slice(text * r, (text + 1) * r);
    const whole = norm(u);
    removeAll(u, directions);
    const own = norm(u);
    if (!(own > LEAST_OWN * whole)) continue;
    for (let i = 0; i < r; i++) u[i] /= own;
    directions.push(u);
  }
  return directions;
}

/** uᵀCu of every direction. */
async function variancesAlong(
  algebra: Algebra,
  covariance: DenseMatrix,
  directions: readonly Float64Array[],
): Promise<number[]> {
  if (directions.length === 0) return [];
  const r = covariance.rows;
  const data = new Float64Array(directions.length * r);
  for (const [i, u] of directions.entries()) data.set(u, i * r);
  const { data: products } = await algebra.product({ data, rows: directions.length, columns: r }, covariance);
  return directions.map((u, i) => dot(products, u, i * r));
}

/** Running sums. */
export function cumulative(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
