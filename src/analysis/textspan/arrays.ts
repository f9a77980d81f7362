/** TEXTSPAN over arrays as the reference scripts write them: M̃ = I, everything else the same. */
import { createAlgebra } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { originOf } from "../../results/origin.ts";
import { type TextspanArraysResult, textspanArraysResult } from "../../results/textspan.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { createNpyWriter, type NpyRows } from "../../support/npy-stream.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import type { PoolText } from "../../text/pool.ts";
import { createChooser } from "./chooser.ts";
import { arrayMoments } from "./contributions.ts";
import { controlCurves } from "./control.ts";
import { rowSpace } from "./row-space.ts";
import { projectTexts, reconstruct, spanInSpace, type Textspan } from "./textspan.ts";

/** How raw arrays are spanned. */
export interface SpanArraysOptions extends WorkOptions {
  readonly iterations?: number;
  /** As the reference's `rank`; what exceeds the numerical rank is clamped, with a `RANK_CLAMPED` warning. */
  readonly rank?: number;
  readonly seed?: number;
  /** Random rotations of the texts for the control; 0: none. Default: 100. */
  readonly rotations?: number;
  readonly threads?: number;
  /** What the arrays are called in the result. */
  readonly names?: { readonly contributions: string; readonly textFeatures: string };
  /** The texts that the rows of the features are of. */
  readonly texts?: readonly PoolText[];
}

/** The arrays in texts, and the directions that give the contributions back ({@link writeReconstruction}). */
export interface SpannedArrays {
  readonly result: TextspanArraysResult;
  readonly span: Textspan;
}

/**
 * Chooses texts for contributions that were computed elsewhere.
 *
 * @param contributions [n, D]
 * @param texts [t, D], used as they are: not brought to unit length
 * @throws `NPY_INVALID` for arrays that do not fit each other, are empty or hold what is not a number; `CANCELLED`
 */
export async function spanArrays(
  contributions: NpyRows,
  texts: { readonly shape: readonly number[]; readonly data: Float32Array },
  options: SpanArraysOptions = {},
): Promise<SpannedArrays> {
  const { iterations = 20, rank, seed = 0, threads = 0, names, texts: named, report } = options;
  const [images, width] = contributions.shape;
  const [count, textWidth] = texts.shape;
  const invalid = (why: string) => new ClipInterpretError("NPY_INVALID", why);
  if (width !== textWidth)
    throw invalid(`contributions have ${width} columns, the text features ${textWidth}`);
  if (images * width === 0 || count === 0)
    throw invalid("contributions and text features must have rows and columns");
  if (!texts.data.every(Number.isFinite)) throw invalid("the text features hold what is not a finite number");
  const algebra = await createAlgebra(openNodeSession, { threads });
  const chooser = createChooser(algebra, threads);
  try {
    const moments = await arrayMoments(algebra, contributions, options);
    if (!moments.every(Number.isFinite)) throw invalid("the contributions hold what is not a finite number");
    const space = await rowSpace(algebra, moments, null, rank);
    if (rank !== undefined && rank > space.numericalRank) {
      const message = `rank ${rank} is more than the ${space.numericalRank} directions that the contributions fill: ${space.numericalRank} are used`;
      report?.({ type: "warning", code: "RANK_CLAMPED", message });
    }
    const coordinates = await projectTexts(algebra, space, texts.data);
    const span = await spanInSpace(algebra, space, coordinates, iterations);
    const { selected, explainedVariance, totalVariance } = span;
    const [control] = await controlCurves(
      chooser,
      { data: Float64Array.from(texts.data), rows: count, columns: width },
      [{ space, explainedVariance }],
      { seed, ...options },
    );
    const result = textspanArraysResult(await originOf({}), {
      contributions: { name: names?.contributions ?? "contributions", images },
      textFeatures: { name: names?.textFeatures ?? "text features", texts: count },
      ...{ iterations, seed, requestedRank: rank ?? null, numericalRank: span.numericalRank },
      ...{
        selected: [...selected],
        explainedVariance: [...explainedVariance],
        totalVariance,
        rank: span.rank,
      },
      descriptions: selected.map((index, step) => ({
        index,
        text: named?.[index].text ?? `text ${index}`,
        property: named?.[index].property ?? null,
        explainedVariance: explainedVariance[step],
        chosenShare: null,
      })),
      control,
      stability: null,
    });
    return { result, span };
  } finally {
    await chooser.close();
    await algebra.release();
  }
}

/** Writes the contributions as the span gives them back, [n, D] float32. @throws `OUTPUT_UNWRITABLE`, `CANCELLED` */
export async function writeReconstruction(
  contributions: NpyRows,
  span: Textspan,
  path: string,
  { signal }: WorkOptions = {},
): Promise<void> {
  const AT_ONCE = 4096;
  const [images] = contributions.shape;
  const writer = await createNpyWriter(path, contributions.shape);
  try {
    for (let start = 0; start < images; start += AT_ONCE) {
      checkCancelled(signal);
      const rows = await contributions.read(start, Math.min(AT_ONCE, images - start));
      await writer.append(Float32Array.from(reconstruct(rows, span)));
    }
    await writer.finish();
  } finally {
    await writer.discard();
  }
}
