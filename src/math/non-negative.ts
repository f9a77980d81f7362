/** Sweeps after which coordinate descent ends whatever it has reached: near enough even where two columns are all but alike. */
const SWEEPS = 2000;
/** It ends earlier where no coefficient moves by more than this share of the largest. */
const STILL = 1e-13;

/**
 * Non-negative least squares from moments: the x ≥ 0 that makes ‖A·x − b‖ least, by coordinate descent. Columns of A may be alike.
 * @param gram AᵀA [k, k]
 * @param right Aᵀb [k]
 * @returns x [k]
 */
export function nonNegativeLeastSquares(gram: ArrayLike<number>, right: ArrayLike<number>): Float64Array {
  const k = right.length;
  const x = new Float64Array(k);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let [moved, largest] = [0, 0];
    for (let i = 0; i < k; i++) {
      let slope = right[i];
      for (let j = 0; j < k; j++) slope -= gram[i * k + j] * x[j];
      const own = gram[i * k + i];
      const next = own > 0 ? Math.max(0, x[i] + slope / own) : 0;
      moved = Math.max(moved, Math.abs(next - x[i]));
      largest = Math.max(largest, next);
      x[i] = next;
    }
    if (moved <= STILL * largest) break;
  }
  return x;
}
