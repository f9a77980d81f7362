/*
 * Count, sum and second moment of vectors in one matrix: Σ [x;1][x;1]ᵀ, [m+1, m+1] in float64. Its last row is the
 * sum, its last entry the count. Moments of two sets add up to those of both.
 */

/** Adds [x;1][x;1]ᵀ to the upper triangle of the matrix at `at`; {@link mirror} completes it. */
export function addOuter(moments: Float64Array, at: number, x: Float64Array): void {
  const size = x.length + 1;
  for (let i = 0, row = at; i < x.length; i++, row += size) {
    const xi = x[i];
    for (let j = i; j < x.length; j++) moments[row + j] += xi * x[j];
    moments[row + x.length] += xi;
  }
  moments[at + size * size - 1] += 1;
}

/** Copies the upper triangle of a [size, size] matrix at `at` to the lower one. */
export function mirror(moments: Float64Array, at: number, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) moments[at + i * size + j] = moments[at + j * size + i];
  }
}
