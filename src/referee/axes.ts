/** What directions in the joint space speak of: each is written, with either sign, as a sparse sum of texts. */
import { coherentPursuit, type PursuitOptions } from "../analysis/from-weights/pursuit.ts";
import type { DenseMatrix } from "../onnx/algebra.ts";
import { type Bench, tally } from "./bench.ts";

/** Directions of a head that are looked at. */
export const AXES = 8;

/**
 * How much speaks for each property: of every direction the share that its texts explain, times the direction's weight.
 * @param axes [n, D] at length 1
 * @param weights of the directions
 */
export async function scoreAxes(
  bench: Bench,
  axes: DenseMatrix,
  weights: readonly number[],
  options: PursuitOptions,
): Promise<number[]> {
  const { rows: n, columns: D } = axes;
  const both = new Float64Array(2 * n * D);
  both.set(axes.data);
  both.set(
    axes.data.map((value) => -value),
    n * D,
  );
  const sums = await coherentPursuit(
    bench.algebra,
    bench.directions,
    { data: both, rows: 2 * n, columns: D },
    options,
  );
  return tally(
    bench,
    sums.flatMap(({ selected, coefficients, cosine }, i) => {
      const squares = coefficients.reduce((sum, value) => sum + value ** 2, 0);
      return selected.map((text, k): [number, number] => [
        text,
        (weights[i % n] * cosine ** 2 * coefficients[k] ** 2) / squares,
      ]);
    }),
  );
}
