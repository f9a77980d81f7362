/** `clip-interpret/evaluation`: images whose truth is known, classes, cues, and models with heads taken away as files. */

export { type MeanOutputs, meanOutputs } from "../analysis/ablation/forward-ablation.ts";
export { compareFineTune, type FineTuneOptions } from "../analysis/compare/fine-tune.ts";
export { type CueProblem, splitByCue } from "../analysis/debias/cue-problem.ts";
export { PLANTED_CUE, plantedClasses } from "../analysis/debias/planted-bias.ts";
export { findRegisters, type RegisterOptions } from "../analysis/registers/registers.ts";
export { evaluateMaps, type FaithfulnessOptions } from "../analysis/segmentation/faithfulness.ts";
export {
  type ClassList,
  corpusMasks,
  loadClasses,
  type MaskedImage,
  type MaskedImages,
  pairMasks,
} from "../analysis/segmentation/masked-images.ts";
export { type ClassSet, defaultClasses, type ZeroShotClass } from "../analysis/zero-shot/classes.ts";
export { readClasses } from "../analysis/zero-shot/classes-file.ts";
export { imagenetClasses } from "../analysis/zero-shot/imagenet.ts";
export {
  prepareZeroShot,
  type ZeroShotOptions,
  type ZeroShotProblem,
} from "../analysis/zero-shot/problem.ts";
export { hashIndex } from "../corpus/hash-index.ts";
export { meanContribution } from "../corpus/means.ts";
export { parseEdit, type WeightedDirection } from "../model/components.ts";
export { type ExportCheckpointOptions, exportCheckpoint, oneMean } from "../model/export-checkpoint.ts";
export { type ExportEncoderOptions, exportEncoder, exportTextEncoder } from "../model/export-encoder.ts";
export { type RefereeOptions, runReferee } from "../referee/run-referee.ts";
