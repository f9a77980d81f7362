/**
 * The public API: what a program imports from `clip-interpret`. A model, decompositions, probes and component sets; the
 * three axes along which they are read; the analyses that are made of those. Everything else lies under its subject:
 * `clip-interpret/kernel`, `/labeling`, `/evaluation`, `/results`, `/views`, `/world`. Only what an entry lists is stable.
 */

export { evaluateZeroShot, type StudyOptions as AblationOptions } from "./analysis/ablation/study.ts";
export { makeAtlas } from "./analysis/atlas/atlas.ts";
export type { AtlasOptions } from "./analysis/atlas/options.ts";
export { type ComparedSide, type CompareOptions, compareModels } from "./analysis/compare/compare.ts";
export { type DebiasOptions, debias } from "./analysis/debias/debias.ts";
export { type ExplainOptions, explainImage } from "./analysis/explain/explain.ts";
export { type Asked, findNeighbors, type NeighborOptions } from "./analysis/neighbors/neighbors.ts";
export {
  type ComponentScores,
  type ImageScore,
  readComponents,
  readImages,
  readTokens,
} from "./analysis/read.ts";
export { type EvaluateOptions, evaluateSegmentation } from "./analysis/segmentation/evaluate.ts";
export { type SegmentOptions, segmentImage, type TokenMap } from "./analysis/segmentation/segmentation.ts";
export { measureSelectivity, type SelectivityOptions } from "./analysis/selectivity/selectivity.ts";
export { type DescribeOptions, describeHeads } from "./analysis/textspan/describe-heads.ts";
export { type ExplainWordsOptions, explainWords } from "./analysis/words/words.ts";
export { type BuildOptions, buildIndex } from "./corpus/build.ts";
export type { Index } from "./corpus/open-index.ts";
export { openIndex } from "./corpus/open-search.ts";
export type { Search } from "./corpus/search.ts";
export { type PulledModel, pullModel } from "./hub/pull.ts";
export { type LabelledHeads, type LabelOptions, labelHeads } from "./labeling/label-heads.ts";
export { measureLabels } from "./labeling/metrics.ts";
export { type CatalogueEntry, listModels } from "./model/catalogue.ts";
export type { ClipModel, ModelOptions } from "./model/clip-model.ts";
export { type ComponentSet, type NamedSet, parseHeads, type WrittenSet } from "./model/components.ts";
export { type DecomposedImage, type DecomposeImageOptions, decomposeImage } from "./model/decompose-image.ts";
export { type DecomposedText, decomposeText } from "./model/decompose-text.ts";
export { contrastProbe, imageProbe, textProbe } from "./model/probe.ts";
export { openModel } from "./model/registry.ts";
export { runStudy, type StudyOptions } from "./study/run-study.ts";
export { ClipInterpretError, type ErrorCode } from "./support/errors.ts";
export type { ProgressEvent, Report, WorkOptions } from "./support/progress.ts";
export { VERSION } from "./support/version.ts";
