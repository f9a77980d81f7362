/**
 * What heads respond to, in words: TEXTSPAN for every head of a set (or for all of them as one) over the images of an
 * index, beside what random texts explain and how much of it other images would have brought.
 */
import type { Index } from "../../corpus/open-index.ts";
import { createSearch } from "../../corpus/search.ts";
import { norm } from "../../math/linear.ts";
import type { ComponentSet } from "../../model/components.ts";
import { mlpName } from "../../model/components.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { type Algebra, createAlgebra } from "../../onnx/algebra.ts";
import { createMatMul } from "../../onnx/matmul.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import { type Contributions, headContributions, summedContributions } from "./contributions.ts";
import { type ControlCurves, controlCurves } from "./control.ts";
import { rowSpace } from "./row-space.ts";
import { measureStability, type Stability } from "./stability.ts";
import { projectTexts, selectInSpace } from "./textspan.ts";

/** A text that was chosen for a head. */
export interface Description {
  /** Its place in the pool. */
  readonly index: number;
  readonly text: string;
  readonly property: string | null;
  /** Share of the head's variance over images that it explains beyond the texts before it. */
  readonly explainedVariance: number;
}

/** A head in words, most telling first. */
export interface DescribedHead {
  /** `L3.H1`, an MLP term's name, or `joint` for several components as one. */
  readonly head: string;
  /** The components that it stands for. */
  readonly components: readonly string[];
  readonly descriptions: readonly Description[];
  /** Mean squared distance of its contribution to its mean contribution. */
  readonly totalVariance: number;
  /** Directions that its contributions fill: no more texts than this can be chosen. */
  readonly rank: number;
  readonly control: ControlCurves;
  /** Null unless resamples were asked for, or where the index holds a single image. */
  readonly stability: Stability | null;
}

/** How heads are described. */
export interface DescribeOptions extends WorkOptions {
  /** Texts a head. Default: 20. */
  readonly iterations?: number;
  /** All components as one, with the set's weights, instead of one at a time (where weights do not matter). */
  readonly joint?: boolean;
  /** Resamples of the images for the stability; 0 (the default) measures none. */
  readonly resamples?: number;
  /** Blocks of images that are resampled. Default: 32. */
  readonly blocks?: number;
  /** Draws of random texts. Default: 50. */
  readonly draws?: number;
  readonly seed?: number;
  /** Threads of the products; 0 takes every core. */
  readonly threads?: number;
}

/**
 * Describes every component of a set.
 *
 * @param index images, with the moments of every head's contributions
 * @param geometry of the model that made the index
 * @param textEmbeddings [t, D]: of the pool's texts, of any length
 * @throws `NO_IMAGES`; `HEADS_INVALID` for single MLP terms that the index does not hold; `CANCELLED`
 */
export async function describeHeads(
  index: Index,
  geometry: HeadGeometry,
  set: ComponentSet,
  pool: TextPool,
  textEmbeddings: Float32Array | Float64Array,
  options: DescribeOptions = {},
): Promise<DescribedHead[]> {
  const { resamples = 0, threads = 0, report, signal } = options;
  if (index.images.length === 0) throw new ClipInterpretError("NO_IMAGES", `${index.folder} holds no image`);
  if (textEmbeddings.length !== pool.texts.length * geometry.embedDim)
    throw new RangeError(
      `${textEmbeddings.length} numbers are not [${pool.texts.length}, ${geometry.embedDim}]`,
    );
  const algebra = await createAlgebra({ threads });
  try {
    const units = await unitsOf(index, geometry, set, algebra, options);
    const texts = unitRows(textEmbeddings, geometry.embedDim);
    const task = "describing heads";
    const total = units.length * (resamples + 1);
    let done = 0;
    const advance = () => report?.({ type: "advance", task, done: ++done, total });
    const described: DescribedHead[] = [];
    // An index of one image has nothing to draw from.
    const canResample = resamples > 0 && index.images.length > 1;
    for (const open of units) {
      checkCancelled(signal);
      const unit = open();
      const moments = await unit.moments(options);
      if (described.length === 0) report?.({ type: "start", task, unit: "run", total });
      const space = await rowSpace(algebra, moments, unit.matrix);
      const coordinates = await projectTexts(algebra, space, texts);
      const chosen = await selectInSpace(algebra, space, coordinates, options.iterations ?? 20);
      advance();
      const settings = { ...options, resamples, onResample: advance };
      described.push({
        head: unit.name,
        components: unit.components,
        descriptions: chosen.selected.map((text, step) => ({
          index: text,
          ...pool.texts[text],
          explainedVariance: chosen.variances[step] / space.totalVariance,
        })),
        totalVariance: space.totalVariance,
        rank: space.rank,
        control: controlCurves(space, coordinates, chosen.selected.length, options),
        stability:
          canResample && chosen.selected.length > 0
            ? await measureStability(algebra, unit, space, coordinates, chosen, settings)
            : null,
      });
    }
    report?.({ type: "end", task, done });
    return described;
  } finally {
    await algebra.release();
  }
}

/** What is described: each head and MLP term of a set, or its sum. Opened one by one: each keeps what it has read. */
async function unitsOf(
  index: Index,
  geometry: HeadGeometry,
  set: ComponentSet,
  algebra: Algebra,
  { joint = false, threads = 0 }: DescribeOptions,
): Promise<(() => Contributions)[]> {
  const search = async () => createSearch(index, geometry, await createMatMul({ threads }));
  if (joint) {
    const over = await search();
    return [() => summedContributions(over, set, algebra)];
  }
  const moments = set.heads.length > 0 ? await index.moments() : new Float64Array(0);
  const heads = set.heads.map((head) => () => headContributions(index, geometry, head, moments));
  if (set.mlps.length === 0) return heads;
  const over = await search();
  const terms = set.mlps.map(({ index: term }) => () => {
    const alone = { heads: [], mlps: [{ index: term, weight: 1 }] };
    return summedContributions(over, alone, algebra, mlpName(term));
  });
  return [...heads, ...terms];
}

/** Rows of a matrix [rows, width] at length 1; a row of zeros stays one. */
export function unitRows(matrix: Float32Array | Float64Array, width: number): Float64Array {
  const rows = Float64Array.from(matrix);
  for (let at = 0; at < rows.length; at += width) {
    const length = norm(rows.subarray(at, at + width));
    for (let d = at; d < at + width && length > 0; d++) rows[d] /= length;
  }
  return rows;
}
