import { extname } from "node:path";
import { meanOutputs } from "../analysis/ablation/forward-ablation.ts";
import { CALIBRATION_IMAGES } from "../analysis/ablation/forward-study.ts";
import type { SplitProblem } from "../analysis/debias/cue-problem.ts";
import type { DebiasResult } from "../analysis/debias/debias.ts";
import { thin } from "../analysis/zero-shot/problem.ts";
import { hashIndex } from "../corpus/hash-index.ts";
import { meanContribution } from "../corpus/means.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { parseComponents } from "../model/components.ts";
import { exportCheckpoint, oneMean } from "../model/export-checkpoint.ts";
import { exportEncoder } from "../model/export-encoder.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";

/**
 * Writes what a CLIP user can run: an `.onnx` encoder without the used heads' direct effects, or a model folder in
 * which they are taken away inside the network. Means are those of the validation images.
 * @returns the paths
 */
export async function exportDebiased(
  model: ClipModel,
  { index, rows, validationAt }: SplitProblem,
  { mode, selections, used }: DebiasResult,
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
  const set = parseComponents(chosen.join(), model.geometry);
  const at = validationAt.map((position) => rows[position]);
  const origin = hashIndex(index);
  for (const path of paths) {
    if (extname(path).toLowerCase() === ".onnx") {
      const mean = mode === "mean" ? await meanContribution(index, model.geometry, set, at) : undefined;
      const calibration = { index: origin, images: at.length };
      await exportEncoder(model, path, { set, ...(mean && { mean, calibration }), ...work });
      continue;
    }
    if (mode === "zero") {
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
