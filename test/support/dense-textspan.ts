import { Matrix, SingularValueDecomposition } from "ml-matrix";

/** What {@link denseTextspan} gives. */
export interface DenseSpan {
  readonly selected: number[];
  /** Variance of the contributions along each step's direction, over the total variance. */
  readonly explained: number[];
  readonly reconstruction: Float64Array;
}

/**
 * TEXTSPAN as it was published, over dense arrays in float64: at each step project all texts on all contributions, take
 * the text of the largest variance, remove its direction from both.
 */
export function denseTextspan(
  contributions: ArrayLike<number>,
  texts: ArrayLike<number>,
  D: number,
  { iterations, rank }: { readonly iterations: number; readonly rank: number },
): DenseSpan {
  let data = Matrix.from1DArray(contributions.length / D, D, Array.from(contributions));
  const svd = new SingularValueDecomposition(data, { autoTranspose: true });
  const basis = svd.rightSingularVectors.subMatrix(0, D - 1, 0, rank - 1);
  let features = Matrix.from1DArray(texts.length / D, D, Array.from(texts))
    .mmul(basis)
    .mmul(basis.transpose());
  const mean = data.mean("column");
  data = data.clone().subRowVector(mean);
  const total = Matrix.pow(data, 2).sum();
  const reconstruction = Matrix.zeros(data.rows, D).addRowVector(mean);
  const selected: number[] = [];
  const explained: number[] = [];
  for (let step = 0; step < iterations; step++) {
    const variances = data.mmul(features.transpose()).variance("column");
    const best = variances.indexOf(Math.max(...variances));
    const direction = features.getRowVector(best);
    const unit = Matrix.div(direction, direction.norm());
    const along = data.mmul(unit.transpose());
    const part = along.mmul(unit);
    explained.push(Matrix.pow(along, 2).sum() / total);
    selected.push(best);
    reconstruction.add(part);
    data = Matrix.sub(data, part);
    features = Matrix.sub(features, features.mmul(unit.transpose()).mmul(unit));
  }
  return { selected, explained, reconstruction: Float64Array.from(reconstruction.to1DArray()) };
}
