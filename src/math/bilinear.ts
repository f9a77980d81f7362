/** A grid of numbers in reading order: `values.length = rows · columns`. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** Where one sample lies between two neighbours: the first's index, the second's, and the second's share. */
export type Between = readonly [low: number, high: number, share: number];

/**
 * The value at a point, where cell (r, c) covers [r, r+1) × [c, c+1) and has its value in its middle. Between middles
 * it is bilinear; beyond the outermost ones it stays as it is there. May be read anywhere in [0, rows] × [0, columns].
 */
export function sampleBilinear({ rows, columns, values }: Grid, y: number, x: number): number {
  // Without an array a call: pictures are painted with it, pixel by pixel.
  const down = inside(y - 0.5, rows);
  const across = inside(x - 0.5, columns);
  const top = Math.floor(down);
  const left = Math.floor(across);
  const bottom = Math.min(top + 1, rows - 1);
  const right = Math.min(left + 1, columns - 1);
  const share = across - left;
  const upper = values[top * columns + left] * (1 - share) + values[top * columns + right] * share;
  const lower = values[bottom * columns + left] * (1 - share) + values[bottom * columns + right] * share;
  return upper * (1 - (down - top)) + lower * (down - top);
}

/**
 * A grid enlarged as `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` does it, which is how the
 * reference implementation brings a map of patches to the size of the image: [height, width] in float64.
 */
export function upsample(grid: Grid, height: number, width: number): Float64Array {
  const { rows, columns, values } = grid;
  const across = Array.from({ length: width }, (_, x) =>
    between(((x + 0.5) * columns) / width - 0.5, columns),
  );
  const result = new Float64Array(height * width);
  // Across first, a row of the grid at a time: the same sums in the same order as point by point.
  const wide = Array.from({ length: rows }, (_, row) =>
    Float64Array.from(
      across,
      ([left, right, share]) =>
        values[row * columns + left] * (1 - share) + values[row * columns + right] * share,
    ),
  );
  for (let y = 0, at = 0; y < height; y++) {
    const [top, bottom, share] = between(((y + 0.5) * rows) / height - 0.5, rows);
    const [upper, lower] = [wide[top], wide[bottom]];
    for (let x = 0; x < width; x++, at++) result[at] = upper[x] * (1 - share) + lower[x] * share;
  }
  return result;
}

/** The two of `count` neighbours that a position lies between, the first one's middle being 0. */
export function between(position: number, count: number): Between {
  const at = inside(position, count);
  const low = Math.floor(at);
  return [low, Math.min(low + 1, count - 1), at - low];
}

const inside = (position: number, count: number) => Math.min(Math.max(position, 0), count - 1);
