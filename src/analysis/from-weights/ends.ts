/** Directions have two ends: each as a sum of texts, the one that texts come nearer to first. */

import { unitRows } from "../../math/linear.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import type { DirectionEnd } from "../../results/from-weights.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { PoolText } from "../../text/pool.ts";
import { coherentPursuit, type PursuitOptions, type SparseSum } from "./pursuit.ts";

/** Both ends of a direction v. */
export interface Ends {
  /** Whether the first end is that of −v. */
  readonly turned: boolean;
  readonly ends: readonly [SparseSum, SparseSum];
}

/**
 * Texts less their mean, at length 1: what a text says beside what all of them say. A text that is the mean becomes 0.
 * @param texts [t, D], of length 1
 * @throws `POOL_INVALID` for fewer than two
 */
export function centredTexts(texts: Float32Array | Float64Array, columns: number): DenseMatrix {
  const rows = texts.length / columns;
  if (rows < 2)
    throw new ClipInterpretError("POOL_INVALID", "one text differs from no other: at least two are needed");
  const mean = new Float64Array(columns);
  for (let at = 0; at < texts.length; at++) mean[at % columns] += texts[at] / rows;
  const data = Float64Array.from(texts, (value, at) => value - mean[at % columns]);
  return { data: unitRows(data, columns), rows, columns };
}

/** Describes both ends of directions [D] of length 1. */
export async function describeEnds(
  algebra: Algebra,
  texts: DenseMatrix,
  directions: readonly Float64Array[],
  options: PursuitOptions,
): Promise<Ends[]> {
  const { columns } = texts;
  const data = new Float64Array(2 * directions.length * columns);
  for (const [i, v] of directions.entries()) {
    data.set(v, 2 * i * columns);
    const other = v.map((value) => -value);
    data.set(other, (2 * i + 1) * columns);
  }
  const sums = await coherentPursuit(algebra, texts, { data, rows: 2 * directions.length, columns }, options);
  return directions.map((_, i): Ends => {
    const [plus, minus] = [sums[2 * i], sums[2 * i + 1]];
    return minus.cosine > plus.cosine
      ? { turned: true, ends: [minus, plus] }
      : { turned: false, ends: [plus, minus] };
  });
}

/** Ends with the texts of a pool. */
export function endsInWords(
  [first, second]: Ends["ends"],
  pool: readonly PoolText[],
): [DirectionEnd, DirectionEnd] {
  const end = ({ selected, coefficients, cosine }: SparseSum): DirectionEnd => ({
    cosine,
    texts: selected.map((index, i) => ({ index, ...pool[index], coefficient: coefficients[i] })),
  });
  return [end(first), end(second)];
}
