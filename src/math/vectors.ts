/** The cosine of the angle between two vectors of one length, summed in float64. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    squaresA += a[i] ** 2;
    squaresB += b[i] ** 2;
  }
  return product / Math.sqrt(squaresA * squaresB);
}

/** The rows of a matrix [rows, width], as views of the same memory. */
export const rowsOf = (matrix: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: matrix.length / width }, (_, row) => matrix.subarray(row * width, (row + 1) * width));
