/** The little linear algebra that is not left to ONNX Runtime: sums in float64, in the order of the indices. */

type Numbers = ArrayLike<number>;

/** Σ a[atA + i]·b[atB + i] over `length` numbers; by default all of b. */
export function dot(a: Numbers, b: Numbers, atA = 0, atB = 0, length = b.length): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[atA + i] * b[atB + i];
  return sum;
}

/** ‖a‖. */
export const norm = (a: Numbers): number => Math.sqrt(dot(a, a));

/** Adds factor·x[at …] to all of `into`. */
export function addScaled(into: Float64Array, factor: number, x: Numbers, at = 0): void {
  for (let i = 0; i < into.length; i++) into[i] += factor * x[at + i];
}

/** M·v for a matrix [rows, v.length]. */
export function multiply(matrix: Numbers, v: Float64Array): Float64Array {
  const product = new Float64Array(v.length === 0 ? 0 : matrix.length / v.length);
  for (let row = 0; row < product.length; row++) product[row] = dot(matrix, v, row * v.length);
  return product;
}

/** xᵀ·M for a matrix [x.length, columns]. */
export function multiplyLeft(x: Numbers, matrix: Numbers): Float64Array {
  const product = new Float64Array(matrix.length / x.length);
  for (let row = 0; row < x.length; row++) addScaled(product, x[row], matrix, row * product.length);
  return product;
}

/** M·Mᵀ for a matrix [rows, columns]. */
export function gram(matrix: Numbers, rows: number): Float64Array {
  const columns = matrix.length / rows;
  const product = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) {
      product[i * rows + j] = dot(matrix, matrix, i * columns, j * columns, columns);
      product[j * rows + i] = product[i * rows + j];
    }
  }
  return product;
}

/** AᵀB of [n, a] and [n, b]; of those rows only that `of` says. */
export function crossProduct(
  a: Float32Array,
  b: Float32Array,
  widthA: number,
  widthB: number,
  of?: (row: number) => boolean,
): Float64Array {
  const product = new Float64Array(widthA * widthB);
  const rows = a.length / widthA;
  for (let row = 0; row < rows; row++) {
    if (of && !of(row)) continue;
    for (let i = 0; i < widthA; i++) {
      const value = a[row * widthA + i];
      for (let j = 0, at = i * widthB, from = row * widthB; j < widthB; j++) {
        product[at + j] += value * b[from + j];
      }
    }
  }
  return product;
}

/** The cosine of the angle between two vectors of one length. */
export const cosine = (a: Numbers, b: Numbers): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** The rows of a matrix [rows, width], as views of the same memory. */
export const rowsOf = (matrix: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: matrix.length / width }, (_, row) => matrix.subarray(row * width, (row + 1) * width));

/** Rows of a matrix [rows, width] at length 1; a row of zeros stays one. */
export function unitRows(matrix: Float32Array | Float64Array, width: number): Float64Array {
  const rows = Float64Array.from(matrix);
  for (let at = 0; at < rows.length; at += width) {
    const length = norm(rows.subarray(at, at + width));
    for (let d = at; d < at + width && length > 0; d++) rows[d] /= length;
  }
  return rows;
}
