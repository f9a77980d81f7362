/**
 * What the variance that TEXTSPAN explains is compared with: texts drawn at random and made orthogonal in the same way,
 * random directions, and the principal components, which no choice of k directions can exceed.
 */
import { quantile } from "../../math/intervals.ts";
import { dot, multiply, norm } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { DenseMatrix } from "../../onnx/algebra.ts";
import type { ControlCurves } from "../../results/textspan.ts";
import { eigen, type RowSpace, removeAll } from "./row-space.ts";

/**
 * Controls for a selection of `steps` texts.
 * @param texts [t, r] in the coordinates of the space
 */
export function controlCurves(
  space: RowSpace,
  texts: DenseMatrix,
  steps: number,
  { draws = 50, seed = 0 }: { readonly draws?: number; readonly seed?: number } = {},
): ControlCurves {
  const { covariance, rank, totalVariance } = space;
  const curves = Array.from({ length: draws }, (_, draw) =>
    cumulative(randomVariances(covariance, texts, steps, new Random(seed, draw))),
  );
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
        : cumulative([...eigen(covariance).values].slice(0, steps)).map((sum) => sum / totalVariance),
  };
}

/** A text of which less than this share is not a sum of earlier ones is passed over. */
const LEAST_OWN = 1e-6;

/** Variances along texts drawn without replacement, each less the earlier ones. */
function randomVariances(
  covariance: DenseMatrix,
  texts: DenseMatrix,
  steps: number,
  random: Random,
): number[] {
  const r = covariance.rows;
  const order = new Int32Array(texts.rows).map((_, i) => i);
  const directions: Float64Array[] = [];
  const variances: number[] = [];
  for (let drawn = 0; drawn < order.length && variances.length < steps; drawn++) {
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
    variances.push(dot(u, multiply(covariance.data, u)));
    directions.push(u);
  }
  return variances.length > 0 ? variances : [0];
}

/** Running sums. */
export function cumulative(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

function trace({ data, rows }: DenseMatrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * rows + i];
  return sum;
}
