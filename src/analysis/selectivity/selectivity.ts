/**
 * How selective each component is for each known factor: the share of the component's variance over images that the
 * factor explains. For a component whose contributions are c_i ∈ ℝᴰ and a factor that puts image i into group g,
 *
 *     η² = Σ_g n_g·‖c̄_g − c̄‖² / Σ_i ‖c_i − c̄‖²
 *
 * (the correlation ratio, summed over dimensions). Groups of few images explain something of anything: shuffled among
 * the images, G groups explain (G − 1)/(n − 1) on average, exactly. So the share that is reported is
 *
 *     ε² = (η² − (G − 1)/(n − 1)) / (1 − (G − 1)/(n − 1))
 *
 * (Kelley's ε²), 0 on average where there is nothing, beside the highest η² of some random permutations.
 *
 * Everything is computed in a head's d_h + 3 coordinates, ‖z̃M̃‖² = z̃·(M̃M̃ᵀ)·z̃; where a model pools by attention in the D
 * dimensions of the contributions themselves.
 */
import { createHeadCache } from "../../corpus/head-cache.ts";
import { measuredHead } from "../../corpus/measured-head.ts";
import type { Index } from "../../corpus/open-index.ts";
import type { FactorValue } from "../../corpus/source.ts";
import { fromHalf } from "../../math/half.ts";
import { dot, multiply } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { mlpCount, mlpName } from "../../model/components.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { originOf } from "../../results/origin.ts";
import {
  type FactorSelectivity,
  type SelectivityResult,
  selectivityResult,
} from "../../results/selectivity.ts";
import { type Head, headOf } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";

/** A factor as a partition of images. */
export interface Grouping {
  readonly name: string;
  /** The values that occur, in order of first appearance. */
  readonly values: readonly FactorValue[];
  /** [n]: each image's group, −1 where it has none. */
  readonly groups: Int32Array;
  /** Images that have a value. */
  readonly images: number;
}

/** The factors of an index's images, the label among them; those with one value or a value an image are left out. */
export function findGroupings({ images }: Pick<Index, "images">, rows?: readonly number[]): Grouping[] {
  const names = new Set(images.flatMap(({ factors }) => Object.keys(factors)));
  const readers: [string, (row: number) => FactorValue][] = [...names].map((name) => [
    name,
    (row) => images[row].factors[name] ?? null,
  ]);
  if (!names.has("label")) readers.unshift(["label", (row) => images[row].label]);
  const used = rows ?? images.map((_, row) => row);
  const groupings = readers.map(([name, read]) => groupBy(name, images.length, used, read));
  return distinct(groupings.filter(({ values, images: n }) => values.length > 1 && values.length < n));
}

function groupBy(
  name: string,
  n: number,
  rows: readonly number[],
  read: (row: number) => FactorValue,
): Grouping {
  const numbers = new Map<FactorValue, number>();
  const groups = new Int32Array(n).fill(-1);
  let images = 0;
  for (const row of rows) {
    const value = read(row);
    if (value === null) continue;
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    groups[row] = known;
    images++;
  }
  return { name, values: [...numbers.keys()], groups, images };
}

/** Without those that part the images as an earlier one does: a label that is a factor too. */
const distinct = (groupings: readonly Grouping[]): Grouping[] =>
  groupings.filter(
    ({ groups }, i) =>
      !groupings.slice(i + 1).some((other) => other.groups.every((group, row) => group === groups[row])),
  );

/** How selectivity is measured. */
export interface SelectivityOptions extends WorkOptions {
  /** Random permutations for the baseline. Default: 20. */
  readonly permutations?: number;
  readonly seed?: number;
  /** Only these images; by default all. */
  readonly rows?: readonly number[];
  /** Partitions of the images; by default those of their factors, within `rows`. */
  readonly groupings?: readonly Grouping[];
}

/** What factors explain of components; it comes with its origin. */
type ByFactors = Omit<SelectivityResult, "origin">;

/**
 * Measures every component of an index against every known factor of its images.
 * @param model that made the index
 * @throws `FACTORS_MISSING` when no factor or label is known, `CANCELLED`
 * @example
 * ```ts
 * import { measureSelectivity, openIndex, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const { factors, heads } = await measureSelectivity(model, index, { permutations: 5 });
 * const background = factors.findIndex(({ name }) => name === "background");
 * const share = ({ factors: of }: (typeof heads)[number]) => of[background].share;
 * const [most] = heads.sort((a, b) => share(b) - share(a));
 * console.log(most.name, share(most).toFixed(2)); // → L0.H1 0.83
 * ```
 */
export async function measureSelectivity(
  model: ClipModel,
  index: Index,
  options: SelectivityOptions = {},
): Promise<SelectivityResult> {
  const found = await explainByFactors(index, model.geometry, options);
  return selectivityResult(await originOf({ model, index }), found);
}

/** {@link measureSelectivity} for another analysis. @throws `FACTORS_MISSING`, `CANCELLED` */
export async function explainByFactors(
  index: Index,
  geometry: HeadGeometry,
  { permutations = 20, seed = 0, rows, groupings: given, report, signal }: SelectivityOptions = {},
): Promise<ByFactors> {
  const groupings = given ?? findGroupings(index, rows);
  if (groupings.length === 0) {
    throw new ClipInterpretError(
      "FACTORS_MISSING",
      `the images of ${index.folder} have no label and no factor`,
    );
  }
  const partitions = groupings.map((grouping) => ({
    grouping,
    shuffled: Array.from({ length: permutations }, (_, p) => shuffle(grouping.groups, seed, p)),
  }));
  const { layers, heads: headCount, embedDim, mlps: hasMlps } = index.manifest;
  const cache = createHeadCache(index);
  const measure = async (block: Float32Array, width: number, metric?: Float64Array) => {
    const factors: FactorSelectivity[] = [];
    for (const { grouping, shuffled } of partitions) {
      // What else the process does, such as answering requests, gets its turn.
      await new Promise((resolve) => setImmediate(resolve));
      checkCancelled(signal);
      const [explained, ...byChance] = explainedShares(
        block,
        width,
        metric,
        [grouping.groups, ...shuffled],
        grouping.values.length,
      );
      const chance = (grouping.values.length - 1) / (grouping.images - 1);
      const share = Math.max(0, (explained - chance) / (1 - chance));
      factors.push({ explained, share, chance, highestByChance: Math.max(0, ...byChance) });
    }
    return factors;
  };
  const task = "measuring selectivity";
  const total = layers * headCount;
  report?.({ type: "start", task, unit: "head", total });
  const heads: ByFactors["heads"] = [];
  for (let unit = 0; unit < total; unit++) {
    checkCancelled(signal);
    const [layer, head] = [Math.floor(unit / headCount), unit % headCount];
    const { block, width, metric } = await measuredHead(cache, geometry, layer, head);
    const factors = await measure(block, width, metric);
    heads.push({ ...headOf(layer, head), factors });
    report?.({ type: "advance", task, done: unit + 1, total });
  }
  const mlps: ByFactors["mlps"] = [];
  for (let term = 0; hasMlps && term < mlpCount(index.manifest); term++) {
    const factors = await measure(fromHalf(await index.mlpTerm(term)), embedDim);
    mlps.push({ component: mlpName(term, index.manifest), factors });
  }
  const embedding = { factors: await measure(await index.embeddings(), embedDim) };
  report?.({ type: "end", task, done: total });
  const factors = groupings.map(({ name, values, images }) => ({ name, values: values.length, images }));
  return { images: rows?.length ?? index.images.length, permutations, factors, heads, mlps, embedding };
}

/**
 * η² of a partition of the rows of a block [n, width] into `count` groups, and of its permutations; rows of group −1 are
 * left out. Squared lengths are x·G·x with the metric G [width, width], or plain ones.
 * @param partitions [n] each, all with a group for the same rows
 */
export function explainedShares(
  block: Float32Array,
  width: number,
  metric: Float64Array | undefined,
  partitions: readonly [Int32Array, ...Int32Array[]],
  count: number,
): [number, ...number[]] {
  const total = scatter(block, width, metric, partitions[0]);
  const share = (groups: Int32Array) =>
    total === 0 ? 0 : scatterBetween(block, width, metric, groups, count) / total;
  const [own, ...permuted] = partitions;
  return [share(own), ...permuted.map(share)];
}

/** Σ ‖x − x̄‖² over the rows of a block that have a group: the same for every permutation of the groups. */
function scatter(
  block: Float32Array,
  width: number,
  metric: Float64Array | undefined,
  groups: Int32Array,
): number {
  const mean = new Float64Array(width);
  let n = 0;
  for (let row = 0; row < groups.length; row++) {
    if (groups[row] < 0) continue;
    n++;
    for (let i = 0, at = row * width; i < width; i++) mean[i] += block[at + i];
  }
  for (let i = 0; i < width; i++) mean[i] /= n;
  const difference = new Float64Array(width);
  let total = 0;
  for (let row = 0; row < groups.length; row++) {
    if (groups[row] < 0) continue;
    for (let i = 0; i < width; i++) difference[i] = block[row * width + i] - mean[i];
    total += squaredLength(difference, metric);
  }
  return total;
}

/** Σ_g n_g·‖x̄_g − x̄‖² over the groups of the rows of a block; rows of group −1 are left out. */
function scatterBetween(
  block: Float32Array,
  width: number,
  metric: Float64Array | undefined,
  groups: Int32Array,
  count: number,
): number {
  const sums = new Float64Array(count * width);
  const sizes = new Float64Array(count);
  const mean = new Float64Array(width);
  for (let row = 0; row < groups.length; row++) {
    const group = groups[row];
    if (group < 0) continue;
    sizes[group]++;
    for (let i = 0, at = row * width, to = group * width; i < width; i++) sums[to + i] += block[at + i];
  }
  let n = 0;
  for (let group = 0; group < count; group++) {
    n += sizes[group];
    for (let i = 0; i < width; i++) mean[i] += sums[group * width + i];
  }
  for (let i = 0; i < width; i++) mean[i] /= n;
  const difference = new Float64Array(width);
  let between = 0;
  for (let group = 0; group < count; group++) {
    if (sizes[group] === 0) continue;
    for (let i = 0; i < width; i++) difference[i] = sums[group * width + i] / sizes[group] - mean[i];
    between += sizes[group] * squaredLength(difference, metric);
  }
  return between;
}

const squaredLength = (x: Float64Array, metric: Float64Array | undefined): number =>
  dot(x, metric ? multiply(metric, x) : x);

/** The groups dealt out again at random among the images that have one. */
export function shuffle(groups: Int32Array, seed: number, permutation: number): Int32Array {
  const random = new Random(seed, permutation);
  const rows = Array.from(groups.keys()).filter((row) => groups[row] >= 0);
  const dealt = groups.slice();
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = dealt[rows[i]];
    dealt[rows[i]] = dealt[rows[j]];
    dealt[rows[j]] = kept;
  }
  return dealt;
}

/** For each factor its most selective heads, best first, where they explain more than any permutation did. */
export function selectiveHeads(
  { factors, heads }: Pick<SelectivityResult, "factors" | "heads">,
  most: number,
): Record<string, Head[]> {
  return Object.fromEntries(
    factors.map(({ name }, f) => {
      const beyond = heads.filter(
        ({ factors: of }) => of[f].explained > of[f].highestByChance && of[f].share > 0,
      );
      const sorted = beyond.sort((a, b) => b.factors[f].share - a.factors[f].share);
      return [name, sorted.slice(0, most).map(({ layer, head }) => headOf(layer, head))];
    }),
  );
}
