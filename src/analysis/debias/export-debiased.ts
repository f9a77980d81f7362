import { hashIndex } from "../../corpus/hash-index.ts";
import { meanContribution } from "../../corpus/means.ts";
import { thin } from "../../math/thin.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet } from "../../model/components.ts";
import { exportCheckpoint, oneMean } from "../../model/export-checkpoint.ts";
import { exportEncoder } from "../../model/export-encoder.ts";
import type { DebiasResult } from "../../results/debias.ts";
import type { Head } from "../../results/shapes.ts";
import { endingOf } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { meanOutputs } from "../ablation/forward-ablation.ts";
import { CALIBRATION_IMAGES } from "../ablation/forward-study.ts";
import type { SplitProblem } from "./cue-problem.ts";

/** Heads as a set of weight 1, in the order of the model. */
export const wholeHeads = (chosen: readonly Head[]): ComponentSet => ({
  heads: chosen
    .map(({ layer, head }) => ({ layer, head, weight: 1 }))
    .sort((a, b) => a.layer - b.layer || a.head - b.head),
  mlps: [],
});

/** Refuses what nothing can be exported to. @throws `USAGE` */
export function checkExports(paths: readonly string[]): void {
  for (const path of paths) {
    const extension = endingOf(path);
    if (extension === ".onnx" || extension === "") continue;
    const hint =
      "Name an .onnx file, or a folder for an edited model: its weights are the safetensors in it.";
    throw new ClipInterpretError("USAGE", `--export ${path} is neither an .onnx file nor a folder`, { hint });
  }
}

/**
 * Writes what a CLIP user can run: an `.onnx` encoder without the used heads' direct effects, or a model folder in
 * which they are taken away inside the network. Means are those of the validation images.
 * @returns the paths
 */
export async function exportDebiased(
  model: ClipModel,
  { index, rows, validationAt }: SplitProblem,
  { replacement, selections, used }: Pick<DebiasResult, "replacement" | "selections" | "used">,
  paths: readonly string[],
  work: WorkOptions,
): Promise<string[]> {
  if (paths.length === 0) return [];
  const { chosen } = selections[used];
  if (chosen.length === 0) {
    const hint = "Leave --export out, or name heads with --heads.";
    throw new ClipInterpretError("HEADS_INVALID", "no heads were chosen, so there is nothing to export", {
      hint,
    });
  }
  const set = wholeHeads(chosen);
  const at = validationAt.map((position) => rows[position]);
  const origin = hashIndex(index);
  for (const path of paths) {
    if (endingOf(path) === ".onnx") {
      const mean =
        replacement === "mean" ? await meanContribution(index, model.geometry, set, at) : undefined;
      const calibration = { index: origin, images: at.length };
      await exportEncoder(model, path, { set, ...(mean && { mean, calibration }), ...work });
      continue;
    }
    if (replacement === "zero") {
      await exportCheckpoint(model, path, { set, ...work });
      continue;
    }
    const over = thin(at, CALIBRATION_IMAGES);
    const layers = [...new Set(set.heads.map(({ layer }) => layer))];
    const means = oneMean(model, await meanOutputs(model, index, over, layers, work), "tokens");
    const calibration = { index: origin, images: over.length };
    await exportCheckpoint(model, path, { set, means, meanOver: "tokens", calibration, ...work });
  }
  return [...paths];
}
