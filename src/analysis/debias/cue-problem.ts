/** A classification whose images are grouped by a cue, in a validation and a held-out half. */
import { ClipInterpretError } from "../../support/errors.ts";
import { factorOf } from "../zero-shot/classes.ts";
import type { ZeroShotProblem } from "../zero-shot/problem.ts";
import type { Partition } from "../zero-shot/zero-shot.ts";

/** Images that a cue is looked for in. */
export interface CueProblem extends ZeroShotProblem {
  /** The factor that the model takes for the class. */
  readonly cueFactor: string;
  /** `[rows]`: the value of the cue, and the values' names. */
  readonly cue: Partition;
  /** Class × cue, of the validation images alone. */
  readonly validation: Partition;
  /** Positions of the validation images among the rows. */
  readonly validationAt: readonly number[];
}

/**
 * Splits the images of a problem that is grouped by the cue alone into a validation and a held-out half.
 * @param split a factor whose values `val` or `validation` (or 1, as in Waterbirds' metadata) and `test` (or 2) are
 *   the halves; without it, every other image of each group
 * @throws `FACTORS_MISSING` when a half is empty or the cue has one value
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot, splitByCue } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const problem = await prepareZeroShot(model, index, defaultClasses(index, "background"), { groupBy: ["style"] });
 * const { validationAt, testAt } = splitByCue(problem, "style");
 * console.log(validationAt.length, testAt.length); // → 66 45
 * ```
 */
export function splitByCue(
  problem: ZeroShotProblem,
  cueFactor: string,
  split?: string,
): CueProblem & { readonly test: Partition; readonly testAt: readonly number[] } {
  const { index, rows, groups } = problem;
  if (!groups) throw new RangeError("the problem has no groups");
  const values = rows.map((row) => factorOf(index.images[row], cueFactor) ?? "");
  const names = [...new Set(values)];
  if (names.length < 2) {
    throw new ClipInterpretError(
      "FACTORS_MISSING",
      `"${cueFactor}" has one value in these images: ${names[0]}`,
    );
  }
  const seen = new Map<number, number>();
  const half = rows.map((row, at): 0 | 1 | -1 => {
    if (split !== undefined) {
      const value = factorOf(index.images[row], split) ?? "";
      return /^(val|validation|1)$/.test(value) ? 0 : /^(test|2)$/.test(value) ? 1 : -1;
    }
    const before = seen.get(groups.groups[at]) ?? 0;
    seen.set(groups.groups[at], before + 1);
    return before % 2 === 0 ? 0 : 1;
  });
  const positions = (which: 0 | 1) => half.flatMap((of, at) => (of === which ? [at] : []));
  const only = (which: 0 | 1): Partition => ({
    names: groups.names,
    groups: groups.groups.map((group, at) => (half[at] === which ? group : -1)),
  });
  const [validationAt, testAt] = [positions(0), positions(1)];
  if (validationAt.length === 0 || testAt.length === 0) {
    const message = `the images have no ${validationAt.length === 0 ? "validation" : "test"} half by "${split}"`;
    throw new ClipInterpretError("FACTORS_MISSING", message);
  }
  const place = new Map(names.map((name, i) => [name, i] as const));
  return {
    ...problem,
    cueFactor,
    cue: { names, groups: Int32Array.from(values, (value) => place.get(value) ?? -1) },
    ...{ validation: only(0), validationAt, test: only(1), testAt },
  };
}

/** A problem with its halves, as {@link splitByCue} makes it. */
export type SplitProblem = ReturnType<typeof splitByCue>;
