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
 * How often shuffled groups explain as much is known without shuffling: mean and variance of η² over all permutations have
 * closed forms (Kazi-Aoual et al., "Refined approximations to permutation tests for multivariate inference", 1995), its tail is near
 * that of a gamma distribution. Over all components and factors these p-values are adjusted (Benjamini and Hochberg, 1995).
 *
 * Everything is computed in a head's d_h + 3 coordinates, ‖z̃M̃‖² = z̃·(M̃M̃ᵀ)·z̃; where a model pools by attention in the D
 * dimensions of the contributions themselves.
 */
import { createHeadCache } from "../../corpus/head-cache.ts";
import { measuredHead } from "../../corpus/measured-head.ts";
import { readEmbeddings, readMlpTerm, type ShardedIndex } from "../../corpus/sharded-index.ts";
import { fromHalf } from "../../math/half.ts";
import { adjusted, isAboveChance, LEVEL } from "../../math/tails.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { mlpCount, mlpName } from "../../model/components.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import { originOf } from "../../results/origin.ts";
import {
  type FactorSelectivity,
  type SelectivityResult,
  selectivityResult,
} from "../../results/selectivity.ts";
import { headOf, type WeightedHead } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, pause, type WorkOptions } from "../../support/progress.ts";
import { shareAsHigh, type Traces, tracesOf } from "./by-permutation.ts";
import { type Grouping, readGroupings, shuffle, sizesOf } from "./groupings.ts";
import { measureMargin, probesOfHead, type SpokenFactor, speakFactors, type TestedMargin } from "./sign.ts";
import type { ValueTexts } from "./value-texts.ts";

/** How selectivity is measured. */
export interface ExplainOptions extends WorkOptions {
  /** Random permutations for the baseline. Default: 20. */
  readonly permutations?: number;
  readonly seed?: number;
  /** Only these images; by default all. */
  readonly rows?: readonly number[];
  /** Partitions of the images; by default those of their factors, within `rows`. */
  readonly groupings?: readonly Grouping[];
}

/** How selectivity is measured, with its sign. */
export interface SelectivityOptions extends ExplainOptions {
  /** Texts that say a value, by factor; by default the generated world's own, a photo of a label, or the value. */
  readonly valueTexts?: ValueTexts;
  /** Where their embeddings are kept. Default: this program's cache. */
  readonly textCache?: string;
}

/** What factors explain of components; it comes with its origin. */
type ByFactors = Omit<SelectivityResult, "origin">;

/**
 * Measures every component of an index against every known factor of its images: how much the factor explains of it, and
 * whether it writes towards the value that it sees or away from it.
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
  index: ShardedIndex,
  options: SelectivityOptions = {},
): Promise<SelectivityResult> {
  const found = await explainWithSigns(model, index, options);
  return selectivityResult(await originOf({ model, index }), found);
}

/** {@link measureSelectivity} for another analysis. @throws `FACTORS_MISSING`, `CANCELLED` */
export async function explainWithSigns(
  model: ClipModel,
  index: ShardedIndex,
  { valueTexts, textCache, ...options }: SelectivityOptions = {},
): Promise<ByFactors> {
  const { report, signal } = options;
  const groupings = await groupingsOf(index, options);
  const work = {
    ...(report && { report }),
    ...(signal && { signal }),
    ...(textCache !== undefined && { cacheFolder: textCache }),
  };
  const spoken = await speakFactors(model, groupings, valueTexts, work);
  return explainByFactors(index, model, { ...options, groupings, spoken });
}

async function groupingsOf(
  index: ShardedIndex,
  { rows, groupings: given, report }: ExplainOptions,
): Promise<readonly Grouping[]> {
  const groupings = given ?? (await readGroupings(index, rows, report)).groupings;
  if (groupings.length > 0) return groupings;
  const message = `the images of ${index.folder} have no label and no factor`;
  throw new ClipInterpretError("FACTORS_MISSING", message);
}

/** What is measured of a component and a factor before it is known how much else was. */
type Raw = Omit<FactorSelectivity, "sign" | "margin"> & { readonly tested: TestedMargin | null };

/**
 * What each factor explains of each component; with `spoken` also its sign.
 * @throws `FACTORS_MISSING`, `CANCELLED`
 */
export async function explainByFactors(
  index: ShardedIndex,
  { geometry, matmul }: Pick<ClipModel, "geometry" | "matmul">,
  options: ExplainOptions & { readonly spoken?: readonly SpokenFactor[] } = {},
): Promise<ByFactors> {
  const { permutations = 20, seed = 0, rows, spoken, report, signal } = options;
  const groupings = await groupingsOf(index, options);
  const partitions = groupings.map((grouping, f) => ({
    grouping,
    sizes: sizesOf(grouping),
    // Factors known of the same images share what does not depend on the values.
    sameImages: groupings.findIndex(({ groups }) =>
      groups.every((g, row) => g < 0 === grouping.groups[row] < 0),
    ),
    shuffled: Array.from({ length: permutations }, (_, p) => shuffle(grouping.groups, seed, p)),
    spoken: spoken && spoken[f].unsigned === null ? spoken[f] : undefined,
  }));
  const { layers, heads: headCount, embedDim, mlps: hasMlps } = index.manifest;
  const cache = createHeadCache(index);
  const measure = async (
    block: Float32Array,
    width: number,
    metric?: Float64Array,
    seen: (probes: Float32Array) => Promise<Float32Array> = async (probes) => probes,
  ) => {
    const factors: Raw[] = [];
    const traces = new Map<number, Traces>();
    for (const { grouping, sizes, sameImages, shuffled, spoken: said } of partitions) {
      await pause();
      checkCancelled(signal);
      const { groups, values, images } = grouping;
      const known = traces.get(sameImages) ?? (await measureTraces(block, width, metric, groups, matmul));
      traces.set(sameImages, known);
      const between = scatterBetween(block, width, metric, groups, values.length);
      const shareOf = (scattered: number) => (known.first === 0 ? 0 : scattered / known.first);
      const byChance = shuffled.map((of) => shareOf(scatterBetween(block, width, metric, of, values.length)));
      const explained = shareOf(between);
      const chance = (values.length - 1) / (images - 1);
      factors.push({
        explained,
        share: Math.max(0, (explained - chance) / (1 - chance)),
        chance,
        highestByChance: Math.max(0, ...byChance),
        p: shareAsHigh(known, sizes, between),
        tested: said ? await measureMargin(block, width, await seen(said.probes), grouping, matmul) : null,
      });
    }
    return factors;
  };
  const task = "measuring selectivity";
  const total = layers * headCount;
  report?.({ type: "start", task, unit: "head", total });
  const heads: { layer: number; head: number; name: string; factors: Raw[] }[] = [];
  for (let unit = 0; unit < total; unit++) {
    checkCancelled(signal);
    const [layer, head] = [Math.floor(unit / headCount), unit % headCount];
    const seen = (probes: Float32Array) => probesOfHead({ geometry, matmul }, probes, layer, head);
    const { block, width, metric } = await measuredHead(cache, geometry, layer, head);
    const factors = await measure(block, width, metric, seen);
    heads.push({ ...headOf(layer, head), factors });
    report?.({ type: "advance", task, done: unit + 1, total });
  }
  const mlps: { component: string; factors: Raw[] }[] = [];
  for (let term = 0; hasMlps && term < mlpCount(index.manifest); term++) {
    const factors = await measure(fromHalf(await readMlpTerm(index, term)), embedDim);
    mlps.push({ component: mlpName(term, index.manifest), factors });
  }
  const embedding = { factors: await measure(await readEmbeddings(index), embedDim) };
  report?.({ type: "end", task, done: total });
  const { judged, unheard } = judge([...heads, ...mlps, embedding].map(({ factors }) => factors));
  const own = <C extends { factors: Raw[] }>(components: readonly C[], from: number) =>
    components.map((component, i) => ({ ...component, factors: judged[from + i] }));
  return {
    images: rows?.length ?? index.images.length,
    permutations,
    factors: groupings.map(({ name, values, images }, f) => ({
      ...{ name, values: values.length, images },
      texts: (spoken?.[f].texts ?? []).map(({ value, texts }) => ({ value, texts: [...texts] })),
      unsigned: spoken ? (spoken[f].unsigned ?? (unheard[f] ? UNHEARD : null)) : "no texts were asked for",
    })),
    heads: own(heads, 0),
    mlps: own(mlps, heads.length),
    embedding: own([embedding], heads.length + mlps.length)[0],
  };
}

const UNHEARD = "the whole embedding does not tell the texts of its values apart";

/**
 * Adjusts the p-values of all components and factors at once, and says which margins have a sign. Where the last component,
 * the whole embedding, does not write towards the texts, they do not say the factor to this model, and no sign means
 * anything.
 */
function judge(components: readonly (readonly Raw[])[]): {
  judged: FactorSelectivity[][];
  /** By factor. */
  unheard: boolean[];
} {
  const ofShares = adjusted(components.flat().map(({ p }) => p));
  const tested = components.flat().flatMap(({ tested }) => tested ?? []);
  const ofMargins = new Map(adjusted(tested.map(({ p }) => p)).map((p, i) => [tested[i], p]));
  const signOf = (margin: TestedMargin | null): 1 | -1 | null =>
    margin === null || (ofMargins.get(margin) ?? 1) > LEVEL ? null : margin.mean < 0 ? -1 : 1;
  const unheard = (components.at(-1) ?? []).map(({ tested }) => signOf(tested) !== 1);
  let cell = 0;
  const judged = components.map((factors) =>
    factors.map(({ tested, ...raw }, f): FactorSelectivity => {
      const found = { ...raw, p: ofShares[cell++], sign: unheard[f] ? null : signOf(tested) };
      if (tested === null) return { ...found, margin: null };
      const { p: _, ...margin } = tested;
      return { ...found, margin };
    }),
  );
  return { judged, unheard };
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
  let total = 0;
  for (const x of centredRows(block, width, groups)) total += squaredLength(x, metric);
  return total;
}

/** What the permutations of any groups of these rows depend on. */
async function measureTraces(
  block: Float32Array,
  width: number,
  metric: Float64Array | undefined,
  groups: Int32Array,
  matmul: MatMul,
): Promise<Traces> {
  let [n, first, diagonal] = [0, 0, 0];
  const moments = new Float64Array(width * width);
  let [rows, columns] = [new Float32Array(AT_ONCE * width), new Float32Array(width * AT_ONCE)];
  let filled = 0;
  const flush = async () => {
    const product = await matmul(
      { data: columns, dims: [1, width, AT_ONCE] },
      { data: rows, dims: [1, AT_ONCE, width] },
    );
    for (let i = 0; i < moments.length; i++) moments[i] += product[i];
    [rows, columns] = [new Float32Array(AT_ONCE * width), new Float32Array(width * AT_ONCE)];
    filled = 0;
  };
  for (const x of centredRows(block, width, groups)) {
    const length = squaredLength(x, metric);
    first += length;
    diagonal += length ** 2;
    n++;
    rows.set(x, filled * width);
    for (let i = 0; i < width; i++) columns[i * AT_ONCE + filled] = x[i];
    if (++filled === AT_ONCE) await flush();
  }
  if (filled > 0) await flush();
  return tracesOf({ n, first, diagonal }, moments, width, metric);
}

/** Rows whose second moments are summed at once. */
const AT_ONCE = 1024;

/** The rows of a block that have a group, less their mean; each is gone when the next is asked for. */
function* centredRows(block: Float32Array, width: number, groups: Int32Array): Generator<Float64Array> {
  const mean = new Float64Array(width);
  let n = 0;
  for (let row = 0; row < groups.length; row++) {
    if (groups[row] < 0) continue;
    n++;
    for (let i = 0, at = row * width; i < width; i++) mean[i] += block[at + i];
  }
  for (let i = 0; i < width; i++) mean[i] /= n;
  const difference = new Float64Array(width);
  for (let row = 0; row < groups.length; row++) {
    if (groups[row] < 0) continue;
    for (let i = 0; i < width; i++) difference[i] = block[row * width + i] - mean[i];
    yield difference;
  }
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

/** x·x, or x·G·x with a symmetric metric G. Loops of its own: they are most of the work of selectivity. */
function squaredLength(x: Float64Array, metric: Float64Array | undefined): number {
  const { length } = x;
  let sum = 0;
  if (!metric) for (let i = 0; i < length; i++) sum += x[i] * x[i];
  else
    for (let i = 0, at = 0; i < length; i++, at += length) {
      let along = (metric[at + i] * x[i]) / 2;
      for (let j = 0; j < i; j++) along += metric[at + j] * x[j];
      sum += 2 * along * x[i];
    }
  return sum;
}

/** For each factor its most selective heads, best first, with the sign that they write with; those above chance only. */
export function selectiveHeads(
  { factors, heads }: Pick<SelectivityResult, "factors" | "heads">,
  most: number,
): Record<string, WeightedHead[]> {
  return Object.fromEntries(
    factors.map(({ name }, f) => {
      const beyond = heads.filter(({ factors: of }) => isAboveChance(of[f]));
      const sorted = beyond.sort((a, b) => b.factors[f].share - a.factors[f].share);
      return [
        name,
        sorted.slice(0, most).map(({ layer, head, factors: of }) => ({
          ...headOf(layer, head),
          weight: of[f].sign ?? 1,
        })),
      ];
    }),
  );
}
