import type { Preprocessed } from "../../image/show.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { imageOf } from "../../model/decomposition.ts";
import { normalizeAll } from "../../model/pixels.ts";
import { originOf } from "../../results/origin.ts";
import { type Check, type TabCheckResult, tabCheckResult } from "../../results/verify.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkBits, checkSumErrors, failedSums } from "./checks.ts";
import { checkDevice } from "./device.ts";

/**
 * Checks a model where it runs: that the parts of some pictures add up to their embeddings, and that a picture's numbers are the
 * same alone and beside others. What `verify` checks more needs more than a page has.
 *
 * @param shown pictures as the model is shown them
 * @param place what it runs in
 * @param reference the same model in WebAssembly, where this one is on another device
 */
export async function checkInTab(
  model: ClipModel,
  shown: readonly Pick<Preprocessed, "rgb">[],
  place: Pick<TabCheckResult, "runtime" | "threads">,
  reference?: ClipModel,
): Promise<TabCheckResult> {
  const { preprocess, vision } = model.config;
  // All layers' tokens, as looks need them: one graph in memory for both.
  const how = { tokenLayers: Array.from({ length: vision.layers }, (_, layer) => layer) };
  const checks = async (): Promise<Check[]> => {
    try {
      const all = await model.decompose(normalizeAll(shown, preprocess), how);
      const alone = await model.decompose(normalizeAll(shown.slice(0, 1), preprocess), how);
      return [
        checkSumErrors([all]),
        checkBits(model, [[alone, imageOf(all, 0)]]),
        ...(reference ? [await checkDevice(model, reference, shown)] : []),
      ];
    } catch (error) {
      if (!(error instanceof ClipInterpretError && error.code === "SUM_MISMATCH")) throw error;
      return [failedSums(error)];
    }
  };
  return tabCheckResult(await originOf({ model }), {
    ...place,
    pictures: shown.length,
    checks: await checks(),
  });
}
