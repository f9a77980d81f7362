/**
 * Whether a component writes towards the value that it sees, or away from it. A share of variance cannot say: a head that
 * gives the true position the lowest of all scores knows the position as well as one that gives it the highest.
 *
 * Let p_v be the probe of the texts that say value v of a factor with G values, and c_i what the component wrote into
 * image i, which has value g(i). With a_iv = (c_i − c̄)·p_v, where c̄ weights every value alike,
 *
 *     u_i = a_i,g(i) − mean of a_iv over v ≠ g(i)        margin = mean over values of the mean of u_i over their images
 *
 * c̄ takes off what the component says of a text whatever the image. (Of the margin it takes nothing, since every value is
 * once the own one and G − 1 times another; of the share of images in which the own text leads, it does.)
 *
 * The margin is Σ_i u_i(g(i))/(G·n_g(i)), a sum over a permutation, so its mean and variance under shuffled values are known
 * exactly, and it is near normal (Hoeffding, "A Combinatorial Central Limit Theorem", 1951). That is its test. Its interval is that
 * of a mean of group means.
 */

import { normalTails } from "../../math/tails.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { headMatrix } from "../../model/head-space.ts";
import { type EmbedOptions, embedTexts } from "../../model/text-cache.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import type { Margin } from "../../results/selectivity.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { classProbes } from "../zero-shot/classes.ts";
import type { Grouping } from "./groupings.ts";
import { textsOfValues, type ValueTexts } from "./value-texts.ts";

/** How the values of a factor are said, in the grouping's order. */
export interface SpokenFactor {
  readonly texts: readonly { readonly value: string; readonly texts: readonly string[] }[];
  /** Why there is none; null where there are texts. */
  readonly unsigned: string | null;
  /** [G, D]: the probe of each value; empty without texts. */
  readonly probes: Float32Array;
}

/** Most values of a factor that are said: more are names of images rather than what they show. */
const MOST_VALUES = 1000;

/**
 * The texts of each value of some factors, and their probes.
 * @throws `FACTORS_MISSING` for given texts of a factor that is not there; `CANCELLED`; what embedding a text throws
 */
export async function speakFactors(
  model: ClipModel,
  groupings: readonly Grouping[],
  given: ValueTexts = {},
  work: EmbedOptions = {},
): Promise<SpokenFactor[]> {
  const unsigned = await model.tokenizer().then(
    () => null,
    (error: unknown) => {
      if (error instanceof ClipInterpretError) return error.message;
      throw error;
    },
  );
  const stray = Object.keys(given).find((factor) => !groupings.some(({ name }) => name === factor));
  if (stray !== undefined) {
    const known = groupings.map(({ name }) => name).join(", ");
    throw new ClipInterpretError(
      "FACTORS_MISSING",
      `"${stray}" has texts but is no factor here: ${known} are`,
    );
  }
  const spoken: SpokenFactor[] = [];
  for (const { name, values } of groupings) {
    const tooMany = values.length > MOST_VALUES ? `it has more than ${MOST_VALUES} values` : null;
    const why = unsigned ?? tooMany;
    if (why !== null) {
      spoken.push({ texts: [], unsigned: why, probes: new Float32Array() });
      continue;
    }
    const texts = textsOfValues(name, values.map(String), given[name]);
    const classes = texts.map(({ texts: of }) => ({ name, texts: of, values: [], contest: null }));
    const embed = (all: readonly string[]) => embedTexts(model, all, work);
    const probes = Float32Array.from(await classProbes({ classes }, model.config.embedDim, embed));
    spoken.push({ texts, unsigned: null, probes });
  }
  return spoken;
}

/** A margin with the probability of one as large, either way, if values were shuffled. */
export interface TestedMargin extends Margin {
  readonly p: number;
}

/** Rows that are scored at once. */
const AT_ONCE = 4096;

/**
 * How a component's block of coordinates, [n, width], answers to the texts of the value that each image has.
 * @param probes [G, width]: each value's probe, as the coordinates see it
 */
export async function measureMargin(
  block: Float32Array,
  width: number,
  probes: Float32Array,
  { groups, values }: Grouping,
  matmul: MatMul,
): Promise<TestedMargin> {
  const G = values.length;
  const rows = Array.from(groups.keys()).filter((row) => groups[row] >= 0);
  const n = rows.length;
  const { centre, sizes } = balancedMean(block, width, rows, groups, G);
  const transposed = new Float32Array(width * G);
  for (let v = 0; v < G; v++) for (let i = 0; i < width; i++) transposed[i * G + v] = probes[v * width + i];
  // Of A_iv = u_i(v)/(G·n_v), each column standing for the n_v places of its value: what the variance under permutations
  // is made of. Rows sum to 0.
  const columns = new Float64Array(G);
  let squares = 0;
  const own = { sum: new Float64Array(G), squares: new Float64Array(G) };
  const [first, last] = [new Float64Array(G), new Float64Array(G)];
  for (let start = 0; start < n; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE);
    const centred = new Float32Array(some.length * width);
    for (const [at, row] of some.entries())
      for (let i = 0; i < width; i++) centred[at * width + i] = block[row * width + i] - centre[i];
    const scores = await matmul(
      { data: centred, dims: [1, some.length, width] },
      { data: transposed, dims: [1, width, G] },
    );
    for (const [at, row] of some.entries()) {
      const of = scores.subarray(at * G, (at + 1) * G);
      const group = groups[row];
      let sum = 0;
      let [higher, lower] = [0, 0];
      for (let v = 0; v < G; v++) {
        sum += of[v];
        if (v === group) continue;
        if (of[v] >= of[group]) higher++;
        if (of[v] <= of[group]) lower++;
      }
      if (higher === 0) first[group]++;
      if (lower === 0) last[group]++;
      for (let v = 0; v < G; v++) {
        const u = (G * of[v] - sum) / (G - 1);
        const a = u / (G * sizes[v]);
        columns[v] += a;
        squares += sizes[v] * a * a;
        if (v === group) {
          own.sum[v] += u;
          own.squares[v] += u * u;
        }
      }
    }
  }
  const overValues = (of: (v: number) => number) => sizes.reduce((sum, _, v) => sum + of(v), 0) / G;
  const mean = overValues((v) => own.sum[v] / sizes[v]);
  const columnSquares = columns.reduce((sum, column, v) => sum + (sizes[v] * column * column) / n, 0);
  const variance = (squares - columnSquares) / Math.max(1, n - 1);
  const deviation = Math.sqrt(Math.max(0, variance));
  const reach = 1.96 * standardError(own, sizes);
  return {
    mean,
    low: mean - reach,
    high: mean + reach,
    first: overValues((v) => first[v] / sizes[v]),
    last: overValues((v) => last[v] / sizes[v]),
    p: deviation > 0 ? normalTails(mean / deviation) : 1,
  };
}

/** The mean of group means, and how many rows each group has. */
function balancedMean(
  block: Float32Array,
  width: number,
  rows: readonly number[],
  groups: Int32Array,
  count: number,
) {
  const sizes = new Float64Array(count);
  for (const row of rows) sizes[groups[row]]++;
  const centre = new Float64Array(width);
  for (const row of rows) {
    const weight = 1 / (count * sizes[groups[row]]);
    for (let i = 0; i < width; i++) centre[i] += weight * block[row * width + i];
  }
  return { centre, sizes };
}

/** Of a mean of group means. A group of one has the variance of all others within theirs. */
function standardError(
  { sum, squares }: { readonly sum: Float64Array; readonly squares: Float64Array },
  sizes: Float64Array,
): number {
  const within = Array.from(sizes, (size, v) => squares[v] - sum[v] ** 2 / size);
  const free = sizes.reduce((total, size) => total + size - 1, 0);
  const pooled = within.reduce((total, of) => total + of, 0) / Math.max(1, free);
  const variance = sizes.reduce((total, size, v) => {
    return total + (size > 1 ? within[v] / (size - 1) : pooled) / size;
  }, 0);
  return Math.sqrt(Math.max(0, variance)) / sizes.length;
}

/** [G, d_h + 3]: value probes as a head's coordinates see them, M̃p. */
export async function probesOfHead(
  { geometry, matmul }: Pick<ClipModel, "geometry" | "matmul">,
  probes: Float32Array,
  layer: number,
  head: number,
): Promise<Float32Array> {
  const { embedDim } = geometry;
  const matrix = headMatrix(geometry, layer, head);
  const [width, count] = [matrix.length / embedDim, probes.length / embedDim];
  const transposed = new Float32Array(matrix.length);
  for (let i = 0; i < width; i++)
    for (let d = 0; d < embedDim; d++) transposed[d * width + i] = matrix[i * embedDim + d];
  return matmul(
    { data: probes, dims: [1, count, embedDim] },
    { data: transposed, dims: [1, embedDim, width] },
  );
}
