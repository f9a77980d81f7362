/** A zero-shot classification of an index's images: which images, their classes and groups, and what scores them. */
import { requireImages } from "../../corpus/few-images.ts";
import type { Index } from "../../corpus/open-index.ts";
import { thin } from "../../math/thin.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { Robustness } from "../../results/debias.ts";
import type { ZeroShotAccuracy } from "../../results/zero-shot.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { type ClassScores, createClassScores } from "./class-scores.ts";
import { type ClassSet, classProbes, type EmbedTexts, factorOf, truthOf } from "./classes.ts";
import { accuracyOf, contestsOf, hitsOf, type Partition, shareOf, sharesOf, worstOf } from "./zero-shot.ts";

/** Images that a zero-shot classifier is asked about. */
export interface ZeroShotProblem {
  readonly index: Index;
  readonly classSet: ClassSet;
  /** [C, D], unit length. */
  readonly probes: Float64Array;
  /** Images that show a class, in the order of the index. */
  readonly rows: readonly number[];
  /** `[rows]`: the class that each shows. */
  readonly truth: Int32Array;
  /** [C]. */
  readonly contests: Int32Array;
  /** Class × value of the factors asked for. */
  readonly groups: Partition | undefined;
  readonly scores: ClassScores;
  /** Images of the index that are left out: they show no class, or have no group. */
  readonly leftOut: number;
}

/** Which images, and in what groups. */
export interface ZeroShotOptions extends WorkOptions {
  /** Group images by their class and these factors; images without a value are left out. */
  readonly groupBy?: readonly string[];
  /** Most images; more are thinned evenly. */
  readonly images?: number;
  /** Default: the model's `encodeTexts`. */
  readonly embed?: EmbedTexts;
}

/**
 * Prepares a classification.
 * With few images there is a warning (`FEW_IMAGES`).
 * @throws `CLASSES_INVALID`, also where an image has nothing to choose from; `FACTORS_MISSING` when no image with a class has a group
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const classes = defaultClasses(index, "background");
 * const problem = await prepareZeroShot(model, index, classes);
 * console.log(problem.rows.length, problem.leftOut); // → 111 9
 * ```
 */
export async function prepareZeroShot(
  model: ClipModel,
  index: Index,
  classSet: ClassSet,
  { groupBy = [], images, embed, report, signal }: ZeroShotOptions = {},
): Promise<ZeroShotProblem> {
  const classOf = truthOf(index, classSet);
  const known = index.images.flatMap((image, row) =>
    classOf[row] >= 0 && groupBy.every((factor) => factorOf(image, factor) !== null) ? [row] : [],
  );
  if (known.length === 0) {
    const message = `no image that shows a class has a value of ${groupBy.map((name) => `"${name}"`).join(" and ")}`;
    throw new ClipInterpretError("FACTORS_MISSING", message);
  }
  const rows = thin(known, images ?? known.length);
  requireChoice(classSet, rows, classOf);
  requireImages({ images: rows, folder: index.folder }, 1, report);
  const encode: EmbedTexts = (texts) =>
    model.encodeTexts(texts, { ...(report && { report }), ...(signal && { signal }) });
  const probes = await classProbes(classSet, model.config.embedDim, embed ?? encode);
  return {
    index,
    classSet,
    probes,
    rows,
    truth: Int32Array.from(rows, (row) => classOf[row]),
    contests: contestsOf(classSet),
    groups: groupBy.length > 0 ? groupsOf(index, classSet, rows, classOf, groupBy) : undefined,
    scores: createClassScores(model, index, probes, rows),
    leftOut: index.images.length - known.length,
  };
}

/** Who can only be taken for what it is, is. @throws `CLASSES_INVALID` */
function requireChoice(classSet: ClassSet, rows: readonly number[], classOf: Int32Array): void {
  const contests = contestsOf(classSet);
  const alone = rows.find(
    (row) => contests.filter((contest) => contest === contests[classOf[row]]).length < 2,
  );
  if (alone === undefined) return;
  const { name } = classSet.classes[classOf[alone]];
  const message = `the class ${JSON.stringify(name)} is alone: an image of it can be taken for nothing else`;
  throw new ClipInterpretError("CLASSES_INVALID", message, {
    hint: "Give two classes or more among which an image is to choose.",
  });
}

/** Class × values, named `tiger · blue`, classes in their order and values in the order of their first image. */
function groupsOf(
  { images }: Index,
  { classes }: ClassSet,
  rows: readonly number[],
  classOf: Int32Array,
  factors: readonly string[],
): Partition {
  const value = (row: number) => factors.map((factor) => factorOf(images[row], factor)).join(" · ");
  const values = [...new Set(rows.map(value))];
  const place = new Map(values.map((name, i) => [name, i] as const));
  return {
    names: classes.flatMap(({ name }) => values.map((of) => `${name} · ${of}`)),
    groups: Int32Array.from(rows, (row) => classOf[row] * values.length + (place.get(value(row)) ?? 0)),
  };
}

/** [rows]: 1 where scores [rows, C] give the right class. */
export const problemHits = (problem: ZeroShotProblem, scores: Float64Array | Float32Array): Uint8Array =>
  hitsOf(scores, problem.truth, problem.contests);

/** Accuracy of scores [rows, C] in all ways. */
export const problemAccuracy = (
  problem: ZeroShotProblem,
  scores: Float64Array | Float32Array,
): ZeroShotAccuracy =>
  accuracyOf(problemHits(problem, scores), problem.truth, problem.classSet, problem.groups);

/** The same without intervals, where very many are compared. */
export function lowestShares(hits: Uint8Array, partition: Partition): { worst: number; average: number } {
  const groups = sharesOf(hits, partition);
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  return {
    worst: Math.min(...groups.map(({ share }) => share)),
    average: groups.reduce((sum, group) => sum + group.share * group.n, 0) / Math.max(1, n),
  };
}

/** Robustness of hits over a partition. @throws RangeError without a group */
export function robustnessOf(hits: Uint8Array, partition: Partition): Robustness {
  const groups = sharesOf(hits, partition);
  const worst = worstOf(groups);
  if (!worst) throw new RangeError("no group has an image");
  return { average: shareOf(hits.filter((_, i) => partition.groups[i] >= 0)), worst };
}
