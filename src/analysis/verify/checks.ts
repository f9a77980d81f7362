import type { ClipModel } from "../../model/clip-model.ts";
import { type Decomposition, SUM_TOLERANCE } from "../../model/decomposition.ts";
import type { Check } from "../../results/verify.ts";

/** Sums of float32 parts are usually within this. */
const USUAL_SUM_ERROR = 1e-5;
/** Other devices order their sums otherwise. */
const DEVICE_TOLERANCE = 1e-3;

/** How well the parts add up, by the error that each decomposition carries. */
export function checkSumErrors(batches: readonly Decomposition[]): Check {
  const value = Math.max(...batches.flatMap(({ error }) => [...error]));
  const usual = value <= USUAL_SUM_ERROR;
  return {
    name: "sums",
    status: usual ? "pass" : "warn",
    value,
    result: `off by ${value.toExponential(1)} of the largest entry`,
    meaning: usual
      ? "Every picture's heads and MLPs add up to its embedding."
      : `More than rounding usually leaves (${USUAL_SUM_ERROR}), less than is refused (${SUM_TOLERANCE}).`,
  };
}

/** The same where they do not add up, and nothing was returned. @param error with the code `SUM_MISMATCH` */
export const failedSums = (error: Error): Check => ({
  ...{ name: "sums", status: "fail", value: null, result: error.message },
  meaning: "The decomposition does not hold for this model: do not use its numbers, and please report it.",
});

/** Arrays of a decomposition that must not depend on what else was in the batch. */
const PARTS = ["z", "mu", "sigma", "norm", "embedding", "mlps"] as const;

/** Whether pictures decomposed alone have the bits they have in a batch. */
export function checkBits({ device }: ClipModel, pairs: readonly (readonly Decomposition[])[]): Check {
  const same = pairs.every(([alone, batched]) =>
    PARTS.every((part) => alone[part].every((value, i) => Object.is(value, batched[part][i]))),
  );
  const [status, meaning] = same
    ? (["pass", "A picture's numbers are the same bit for bit alone and in a batch."] as const)
    : device === "cpu"
      ? (["fail", "A picture's numbers depend on its batch, which must not be: please report it."] as const)
      : (["warn", `A picture's numbers depend on its batch; ${device} promises no more.`] as const);
  return { name: "same bits", status, value: same ? 1 : 0, result: same ? "yes" : "no", meaning };
}

/** How far numbers are from what they should be, as a share of the largest of these; NaN where one is none. */
export function apartOf(
  found: readonly ArrayLike<number>[],
  exact: readonly (Float32Array | Float64Array)[],
): number {
  let worst = 0;
  let largest = 0;
  for (const [batch, expected] of exact.entries()) {
    for (const [i, value] of expected.entries()) {
      worst = Math.max(worst, Math.abs(found[batch][i] - value));
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return worst === 0 ? 0 : worst / largest;
}

/** Embeddings of a quantised model or another device beside those in float32 on the CPU. */
export function checkReference(
  model: ClipModel,
  found: readonly Float32Array[],
  exact: readonly Float32Array[],
): Check {
  const value = apartOf(found, exact);
  const result = `embeddings off by ${value.toExponential(1)} of the largest entry`;
  if (model.precision !== "fp32") {
    const meaning = `${model.precision} is an approximation: this is how far it is from float32 on these pictures.`;
    return { name: "float32", status: "warn", value, result, meaning };
  }
  const near = value <= DEVICE_TOLERANCE;
  const meaning = near
    ? `${model.device} computes what the CPU does, to rounding.`
    : `${model.device} does not compute what the CPU does (${DEVICE_TOLERANCE} is allowed): do not use its numbers.`;
  return { name: "float32", status: near ? "pass" : "fail", value, result, meaning };
}
