/**
 * A picture of any size segmented by a model that reads squares: windows that overlap, each patch compared with every name, and
 * the best class of each pixel. The arithmetic is that of the benchmarks' common protocol (SCLIP, §4.1), a name at a time, so
 * that memory does not grow with the number of classes.
 */
import { between, upsample } from "../../math/bilinear.ts";

/** Where windows of a size start so that they cover a side, the last one flush with its end. */
export const windowStarts = (side: number, size: number, stride: number): number[] =>
  Array.from({ length: Math.floor(Math.max(side - size + stride - 1, 0) / stride) + 1 }, (_, i) =>
    Math.max(Math.min(i * stride + size, side) - size, 0),
  );

/** A picture's size as it is segmented: the shorter side as asked, the longer one at most `longest`, never below a window. */
export function segmentedSize(
  width: number,
  height: number,
  {
    shortSide,
    longest,
    window,
  }: { readonly shortSide: number; readonly longest: number; readonly window: number },
): { width: number; height: number } {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const scale = Math.max(Math.min(longest / long, shortSide / short), window / short);
  const scaled = (side: number) => Math.max(Math.floor(side * scale + 0.5), window);
  return { width: scaled(width), height: scaled(height) };
}

/** A picture [height, width, 3] at another size, bilinear without a filter, as OpenCV's `INTER_LINEAR` (to a level). */
export function resizeBilinear(
  rgb: Uint8Array,
  from: { readonly width: number; readonly height: number },
  to: { readonly width: number; readonly height: number },
): Uint8Array {
  const result = new Uint8Array(3 * to.width * to.height);
  const channel = new Float64Array(from.width * from.height);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < channel.length; i++) channel[i] = rgb[3 * i + c];
    const large = upsample({ rows: from.height, columns: from.width, values: channel }, to.height, to.width);
    for (let i = 0; i < large.length; i++) result[3 * i + c] = Math.round(large[i]);
  }
  return result;
}

/** How like its names a picture's windows are. */
export interface WindowScores {
  /** Of the picture that was cut into windows. */
  readonly width: number;
  readonly height: number;
  /** Side of a window in pixels. */
  readonly size: number;
  /** Where windows start: one for each of `down` and each of `across`, a row after the other. */
  readonly down: readonly number[];
  readonly across: readonly number[];
  /** Side of a window in patches. */
  readonly grid: number;
  /** [grid²]: cosines of a window's patches with a name. */
  readonly scores: (window: number, name: number) => Float64Array;
}

/** What a pixel's class is made of. */
export interface PixelRule {
  /** The class of each name. */
  readonly classOfName: readonly number[];
  readonly logitScale: number;
  /** A pixel whose best name has a lower probability is class 0; null where there is no background. */
  readonly threshold: number | null;
}

/**
 * The class of every pixel of the original picture, [height, width]: cosines are enlarged and averaged where windows overlap, brought
 * to the original's size, and turned into probabilities of all names; the most probable name's class is the pixel's.
 *
 * All of that is linear and does the same along each side, so a pixel's logit is a sum over few patches, whose weights are
 * products of one for its row and one for its column.
 */
export function labelPixels(
  seen: WindowScores,
  original: { readonly width: number; readonly height: number },
  { classOfName, logitScale, threshold }: PixelRule,
): Int16Array {
  const { width, height, size, down, across, grid, scores } = seen;
  const rows = axisWeights(original.height, height, down, size, grid);
  const columns = axisWeights(original.width, width, across, size, grid);
  const pixels = original.width * original.height;
  const best = new Float64Array(pixels).fill(-Infinity);
  const labels = new Int16Array(pixels);
  // Σ exp(l − best), kept as the best grows.
  const sums = new Float64Array(pixels);
  /** One row of patches, all windows side by side, brought to the original's width. */
  const wide = Array.from({ length: down.length * grid }, () => new Float64Array(original.width));
  const line = new Float64Array(across.length * grid);
  for (const [name, index] of classOfName.entries()) {
    for (const [top] of down.entries()) {
      const values = across.map((_, left) => scores(top * across.length + left, name));
      for (let row = 0; row < grid; row++) {
        for (const [left, own] of values.entries())
          line.set(own.subarray(row * grid, (row + 1) * grid), left * grid);
        const target = wide[top * grid + row];
        for (let x = 0; x < target.length; x++) target[x] = weigh(columns[x], line);
      }
    }
    for (let y = 0, at = 0; y < original.height; y++) {
      const { places, weights } = rows[y];
      for (let x = 0; x < original.width; x++, at++) {
        let logit = 0;
        for (let k = 0; k < places.length; k++) logit += weights[k] * wide[places[k]][x];
        logit *= logitScale;
        if (logit > best[at]) {
          sums[at] = sums[at] * Math.exp(best[at] - logit) + 1;
          best[at] = logit;
          labels[at] = index;
        } else sums[at] += Math.exp(logit - best[at]);
      }
    }
  }
  if (threshold !== null) for (let at = 0; at < pixels; at++) if (1 / sums[at] < threshold) labels[at] = 0;
  return labels;
}

/** Which patches along a side a pixel of the original is a sum of. */
interface AxisWeights {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

function weigh({ places, weights }: AxisWeights, values: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < places.length; k++) sum += weights[k] * values[places[k]];
  return sum;
}

/** For each position along a side of the original: from patches to windows, their mean, and that at the original's size. */
function axisWeights(
  original: number,
  segmented: number,
  starts: readonly number[],
  size: number,
  grid: number,
): AxisWeights[] {
  const inside = Array.from({ length: segmented }, (_, position) => {
    const windows = [...starts.keys()].filter((w) => starts[w] <= position && position < starts[w] + size);
    return windows.flatMap((w) => {
      const [low, high, share] = between(((position - starts[w] + 0.5) * grid) / size - 0.5, grid);
      return [
        [w * grid + low, (1 - share) / windows.length],
        [w * grid + high, share / windows.length],
      ] as const;
    });
  });
  return Array.from({ length: original }, (_, position) => {
    const [low, high, share] = between(((position + 0.5) * segmented) / original - 0.5, segmented);
    const found = new Map<number, number>();
    for (const [at, part] of [[low, 1 - share] as const, [high, share] as const])
      for (const [place, weight] of inside[at]) found.set(place, (found.get(place) ?? 0) + part * weight);
    return { places: [...found.keys()], weights: [...found.values()] };
  });
}
