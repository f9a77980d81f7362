/** Spearman's rank correlation, equal values sharing their mean rank; null where one side does not vary. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number | null {
  const [x, y] = [meanRanks(a), meanRanks(b)];
  const middle = (a.length + 1) / 2;
  let [product, squaresX, squaresY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    product += (x[i] - middle) * (y[i] - middle);
    squaresX += (x[i] - middle) ** 2;
    squaresY += (y[i] - middle) ** 2;
  }
  return squaresX === 0 || squaresY === 0 ? null : product / Math.sqrt(squaresX * squaresY);
}

/** Each value's rank from 1; equal values have the mean of theirs. */
function meanRanks(values: readonly number[]): Float64Array {
  const order = [...values.keys()].sort((i, j) => values[i] - values[j]);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let k = start; k < end; k++) ranks[order[k]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}
