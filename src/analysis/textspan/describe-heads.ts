/**
 * What heads respond to, in words: TEXTSPAN for every head of a set (or for all of them as one) over the images of an
 * index, beside what the same choice explains among texts that mean nothing, and how much of it other images would have
 * brought.
 */
import { requireImages } from "../../corpus/few-images.ts";
import { createSearch } from "../../corpus/search.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { unitRows } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type ComponentSet, componentNames, mlpName } from "../../model/components.ts";
import { type EmbedOptions, embedTexts } from "../../model/text-cache.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import { originOf } from "../../results/origin.ts";
import { componentsOf, headOf } from "../../results/shapes.ts";
import { type Span, type TextspanResult, textspanResult } from "../../results/textspan.ts";
import { atOnce } from "../../support/at-once.ts";
import { checkCancelled } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import { type Chooser, createChooser } from "./chooser.ts";
import { type Contributions, eachHead, summedContributions } from "./contributions.ts";
import { type Controlled, controlCurves } from "./control.ts";
import { type RowSpace, rowSpace } from "./row-space.ts";
import { measureStability } from "./stability.ts";
import { projectTexts, type Selection, selectInSpace } from "./textspan.ts";

/** How the texts of a pool are had. */
export interface PoolOptions extends EmbedOptions {
  /** Threads of the products; 0 takes every core. */
  readonly threads?: number;
}

/** How heads are described. */
export interface DescribeOptions extends PoolOptions {
  /** Texts a head. Default: 20. */
  readonly iterations?: number;
  /**
   * All components as one, with the set's weights, instead of one at a time (where weights do not matter): the set as
   * the user wrote it, or true.
   */
  readonly joint?: string | boolean;
  /** Resamples of the images for the stability; 0 (the default) measures none. */
  readonly resamples?: number;
  /** Blocks of images that are resampled. Default: 32. */
  readonly blocks?: number;
  /** Random rotations of the pool for the control; 0: none. Default: 100. */
  readonly rotations?: number;
  readonly seed?: number;
  /** Hears of every component's row space and of what was chosen in it, in the order of the set. */
  readonly onSpan?: (space: RowSpace, chosen: Selection) => Promise<void>;
}

/**
 * Describes every component of a set by the texts of a pool.
 * @param index made by this model: images, with the moments of every head's contributions
 * @throws `NO_IMAGES`; `HEADS_INVALID` for MLP terms that the index does not hold; what embedding texts throws; `CANCELLED`
 * @example
 * ```ts
 * import { describeHeads, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, loadPool } from "clip-interpret/labeling";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const pool = await loadPool(defaultPool(model.name));
 * const described = await describeHeads(model, index, parseHeads(model, "L1.H0,L3.H3"), pool, { iterations: 5 });
 * for (const { name, descriptions } of described.heads) console.log(name, descriptions[0].text);
 * // → L1.H0 this shows something on a plain background
 * // → L3.H3 a picture of something in the middle
 * ```
 */
export async function describeHeads(
  model: ClipModel,
  index: ShardedIndex,
  set: ComponentSet,
  pool: TextPool,
  options: DescribeOptions = {},
): Promise<TextspanResult> {
  const { iterations = 20, resamples = 0, seed = 0, joint = false, threads = 0, report, signal } = options;
  requireImages(index, 2, report);
  const { embedDim } = model.config;
  const texts = {
    data: await embedPool(model, pool, options),
    ...{ rows: pool.texts.length, columns: embedDim },
  };
  const algebra = await model.openAlgebra({ threads });
  const chooser = createChooser(algebra, threads);
  try {
    const search = createSearch(index, model.geometry, model.matmul);
    const heads = joint ? [] : set.heads;
    const mlps = joint ? [] : set.mlps;
    const task = "describing heads";
    const total = (joint ? 1 : heads.length + mlps.length) * (resamples + 1);
    let done = 0;
    const advance = () => report?.({ type: "advance", task, done: ++done, total });
    const work = { ...options, iterations, resamples, seed, onStep: advance };
    const contributionsOf = heads.length > 0 ? await eachHead(search, model, algebra) : undefined;
    const components = [
      ...heads.map((head) => () => contributionsOf!(head)),
      ...mlps.map(
        ({ index: term }) =>
          () =>
            summedContributions(search, oneMlp(term), algebra),
      ),
      ...(joint ? [() => summedContributions(search, set, algebra)] : []),
    ];
    async function* chosen() {
      for (const contributionsOf of components) {
        checkCancelled(signal);
        const contributions = contributionsOf();
        const moments = await contributions.moments(options);
        if (done === 0) report?.({ type: "start", task, unit: "run", total });
        yield await chooseFor(algebra, contributions, moments, texts, work);
      }
    }
    const pending = await atOnce(chooser.atOnce, chosen(), (one) => describeOne(chooser, one, pool, work));
    report?.({ type: "end", task, done });
    const spans = await withControls(chooser, texts, pending, options);
    const names = joint === true ? componentNames(set, model.geometry).join() : String(joint);
    return textspanResult(await originOf({ model, index, pool }), {
      ...{ iterations, resamples, seed },
      heads: heads.map(({ layer, head }, i) => ({ ...headOf(layer, head), ...spans[i] })),
      mlps: mlps.map(({ index: term }, i) => ({
        component: mlpName(term, model.geometry),
        ...spans[heads.length + i],
      })),
      joint: joint ? { components: componentsOf(names, set, model.geometry), ...spans[0] } : null,
    });
  } finally {
    await chooser.close();
    await algebra.release();
  }
}

const oneMlp = (index: number): ComponentSet => ({ heads: [], mlps: [{ index, weight: 1 }] });

interface StepOptions extends DescribeOptions {
  readonly iterations: number;
  readonly resamples: number;
  /** Called after the choice, and after each resample. */
  readonly onStep: () => void;
}

/** What was chosen for a component, and what its control needs. */
interface Pending {
  readonly span: Omit<Span, "control">;
  readonly controlled: Controlled;
}

/** Bytes of covariances that are compared with one set of rotations at a time. */
const CONTROLLED_BYTES = 2 ** 28;

/** Compares every choice with the same rotations of the pool. */
async function withControls(
  chooser: Chooser,
  texts: DenseMatrix,
  pending: readonly Pending[],
  options: DescribeOptions,
): Promise<Span[]> {
  const largest = pending.reduce((most, { controlled }) => Math.max(most, controlled.space.rank), 1);
  const atOnce = Math.max(1, Math.floor(CONTROLLED_BYTES / (8 * largest ** 2)));
  const spans: Span[] = [];
  for (let start = 0; start < pending.length; start += atOnce) {
    const some = pending.slice(start, start + atOnce);
    const controls = await controlCurves(
      chooser,
      texts,
      some.map(({ controlled }) => controlled),
      options,
    );
    for (const [i, { span }] of some.entries()) spans.push({ ...span, control: controls[i] });
  }
  return spans;
}

/** The texts of a component, and what they were chosen among. */
interface Chosen {
  readonly contributions: Contributions;
  readonly space: RowSpace;
  readonly coordinates: DenseMatrix;
  readonly chosen: Selection;
}

async function chooseFor(
  algebra: Algebra,
  contributions: Contributions,
  moments: Float64Array,
  texts: DenseMatrix,
  { onStep, onSpan, iterations }: StepOptions,
): Promise<Chosen> {
  const space = await rowSpace(algebra, moments, contributions.matrix);
  const coordinates = await projectTexts(algebra, space, texts.data);
  const chosen = await selectInSpace(algebra, space, coordinates, iterations);
  onStep();
  await onSpan?.(space, chosen);
  return { contributions, space, coordinates, chosen };
}

async function describeOne(
  chooser: Chooser,
  { contributions, space, coordinates, chosen }: Chosen,
  pool: TextPool,
  { onStep, resamples, ...options }: StepOptions,
): Promise<Pending> {
  const { selected } = chosen;
  const explainedVariance = chosen.variances.map((variance) => variance / space.totalVariance);
  // A single image has nothing to draw from.
  const canResample = resamples > 0 && space.images > 1 && selected.length > 0;
  const stability = canResample
    ? await measureStability(chooser, contributions, space, coordinates, chosen, {
        ...options,
        ...{ resamples, onResample: onStep },
      })
    : null;
  const { covariance, rank, totalVariance } = space;
  const span = {
    ...{ selected, explainedVariance },
    descriptions: selected.map((text, step) => ({
      ...{ index: text, ...pool.texts[text], explainedVariance: explainedVariance[step] },
      chosenShare: stability?.chosenShare[step] ?? null,
    })),
    ...{ totalVariance, rank, stability },
  };
  return { span, controlled: { space: { covariance, rank, totalVariance }, explainedVariance } };
}

/** [t, D]: a pool's texts at length 1, as the model embeds them. */
export async function embedPool(
  model: ClipModel,
  pool: TextPool,
  options: PoolOptions,
): Promise<Float64Array> {
  const texts = pool.texts.map(({ text }) => text);
  return unitRows(await embedTexts(model, texts, options), model.config.embedDim);
}
