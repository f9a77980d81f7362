import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { crossProduct } from "../../math/linear.ts";
import { distribution } from "../../math/rank.ts";

/** What two heads have most in common: an axis through the images on which both place them alike. */
export interface CommonAxis {
  /** [n]: where the heads place each image, the mean of both, in standard deviations. */
  readonly positions: Float64Array;
  /** Pearson's r of the two heads' positions. */
  readonly correlation: number;
  /** Share of ‖YᵀX‖²_F that lies on it. */
  readonly share: number;
}

/**
 * The axis of largest covariance: the first singular vectors of XᵀY (partial least squares), for centred responses.
 * Its sign means nothing; the side with the longer tail is made positive.
 *
 * @param a [n, m], @param b [n, m']
 */
export function commonAxis(a: Float32Array, b: Float32Array, widthA: number, widthB: number): CommonAxis {
  const cross = Matrix.from1DArray(widthA, widthB, Array.from(crossProduct(a, b, widthA, widthB)));
  const { leftSingularVectors, rightSingularVectors, diagonal } = new SingularValueDecomposition(cross, {
    autoTranspose: true,
  });
  const along = (values: Float32Array, width: number, vectors: Matrix) =>
    Float64Array.from({ length: values.length / width }, (_, row) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += values[row * width + i] * vectors.get(i, 0);
      return sum;
    });
  const [x, y] = [along(a, widthA, leftSingularVectors), along(b, widthB, rightSingularVectors)].map(
    standardised,
  );
  const positions = x.map((value, i) => (value + y[i]) / 2);
  const skewness = positions.reduce((sum, value) => sum + value ** 3, 0);
  const squares = diagonal.reduce((sum, value) => sum + value * value, 0);
  return {
    positions: skewness < 0 ? positions.map((value) => -value) : positions,
    correlation: x.reduce((sum, value, i) => sum + value * y[i], 0) / x.length,
    share: squares > 0 ? diagonal[0] ** 2 / squares : 0,
  };
}

function standardised(values: Float64Array): Float64Array {
  const { mean, deviation } = distribution(values);
  return values.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
}
