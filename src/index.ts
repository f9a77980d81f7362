/**
 * The public API: what a program may import from `clip-interpret`. Only what is listed here is stable.
 *
 *     import { explainImage, loadClipModel, locateModel } from "clip-interpret";
 *
 *     const { folder, name } = await locateModel("emoji-4x128-p8");
 *     const model = await loadClipModel(folder, name);
 *     const { texts } = await explainImage(model, "picture.png", ["a whale", "a palm tree"]);
 */
export {
  type EvaluatedUnit,
  type EvaluateOptions,
  evaluateSegmentation,
  type MethodResult,
  type Protocol,
  type SegmentationEvaluation,
} from "./analysis/evaluate-segmentation.ts";
export { type Explanation, explain, explainImage, type ImageExplanation } from "./analysis/explain.ts";
export {
  type ClassList,
  corpusMasks,
  type EvaluatedClass,
  loadClasses,
  type MaskedImage,
  type MaskedImages,
  pairMasks,
} from "./analysis/masked-images.ts";
export {
  findNeighbors,
  type Neighbor,
  type NeighborOptions,
  type Neighbors,
  type Query,
  SCORINGS,
  type Scoring,
} from "./analysis/neighbors.ts";
export { loadProperties, type Properties } from "./analysis/properties.ts";
export { type ReferenceArrays, writeReferenceArrays } from "./analysis/reference-arrays.ts";
export {
  type MeanShare,
  measureRetrieval,
  type RetrievalOptions,
  type RetrievalResult,
  type RetrievalRow,
} from "./analysis/retrieval.ts";
export {
  SEGMENTATION_MODES,
  type Segmentation,
  type SegmentationMode,
  type SegmentOptions,
  segmentImage,
  type TextMap,
  type TokenMap,
  tokenHeads,
  tokenMap,
  type Winners,
  winnersOf,
} from "./analysis/segmentation.ts";
export {
  attentionRollout,
  BASELINES,
  type Baseline,
  type BaselineMap,
  type BaselineName,
  baselineMaps,
  rawAttention,
} from "./analysis/segmentation-baselines.ts";
export type { NamedSet } from "./analysis/segmentation-methods.ts";
export type { Measured, Measures, SegmentationMetric } from "./analysis/segmentation-metrics.ts";
export {
  measureSelectivity,
  type SelectiveComponent,
  type Selectivity,
  type SelectivityOptions,
  type SelectivityResult,
  selectiveHeads,
} from "./analysis/selectivity.ts";
export { type Verification, verifyModel } from "./analysis/verify.ts";
export type { Check } from "./analysis/verify-checks.ts";
export { loadSuite, type Suite, type SuiteName } from "./analysis/verify-suite.ts";
export type { PictureGuess } from "./analysis/verify-zero-shot.ts";
export type { ModelConfig, TextConfig, TowerConfig, VisionConfig } from "./checkpoint/model-config.ts";
export { type BuildOptions, type BuildResult, buildIndex } from "./corpus/build.ts";
export { exportParquet } from "./corpus/export-parquet.ts";
export { exportPrs } from "./corpus/export-prs.ts";
export { createHeadCache, type HeadCache } from "./corpus/head-cache.ts";
export type { Dtype, Layout, Manifest, Origin, ShardEntry } from "./corpus/manifest.ts";
export { checkIndex, type Index, type IndexCheck, openIndex, requireModelOf } from "./corpus/open-index.ts";
export type { ImageRow, RejectedRow } from "./corpus/rows.ts";
export { createSearch, type Search } from "./corpus/search.ts";
export { type FactorValue, type Source, type SourceImage, scanSource } from "./corpus/source.ts";
export { KNOWN_MODELS, type KnownModel } from "./hub/known-models.ts";
export { createPuller, type PulledModel, type Puller } from "./hub/pull.ts";
export type { Patience } from "./hub/retry.ts";
export { type DecodeOptions, decodeImage } from "./image/decode.ts";
export { type Preprocessed, preprocess } from "./image/preprocess.ts";
export type { PreprocessConfig } from "./image/types.ts";
export { type Grid, upsample } from "./math/bilinear.ts";
export type { Distribution } from "./math/rank.ts";
export { type CatalogueEntry, listModels } from "./model/catalogue.ts";
export { type ClipModel, loadClipModel, type ModelOptions } from "./model/clip-model.ts";
export {
  allComponents,
  allHeads,
  type ComponentSet,
  headName,
  mlpName,
  parseComponents,
} from "./model/components.ts";
export type { DecomposeOptions, Gate, TokenDecomposition } from "./model/decompose.ts";
export { type DecomposedBatch, decomposeImages } from "./model/decompose-images.ts";
export { type Decomposition, imageOf } from "./model/decomposition.ts";
export { denseHeads, denseTokens } from "./model/dense.ts";
export { type HeadGeometry, headMatrix } from "./model/geometry.ts";
export {
  type PreparedProbe,
  prepareProbe,
  scoreComponents,
  scoreImages,
  scoreTokens,
} from "./model/kernel.ts";
export { contrastProbe, headContribution, headCoordinates, imageProbe, textProbe } from "./model/probe.ts";
export {
  createModelLoader,
  DEFAULT_MODEL,
  EMBEDDED_MODELS,
  locateModel,
  type ModelLoader,
} from "./model/registry.ts";
export type { TokenOutputs } from "./model/token-outputs.ts";
export type { LayerTokens, TokenTerms } from "./model/token-terms.ts";
export { type Device, listDevices } from "./onnx/device.ts";
export type { Precision } from "./onnx/linear.ts";
export type { Environment } from "./support/environment.ts";
export { ClipInterpretError, type ErrorCode } from "./support/errors.ts";
export { openNpyRows } from "./support/npy-stream.ts";
export type { ProgressEvent, Report, WorkOptions } from "./support/progress.ts";
export type { Tokenizer } from "./text/tokenizer.ts";
export { type ExplanationInput, explanationSvg } from "./views/explanation.ts";
export { explanationHtml } from "./views/html.ts";
export { svgToPng } from "./views/png.ts";
export {
  type Corpus,
  type CorpusOptions,
  type CorpusRow,
  type PlannedCorpus,
  planCorpus,
  readCorpus,
  writeCorpus,
} from "./world/corpus.ts";
export type { Scene, SceneObject } from "./world/scene.ts";
export type { SplitName } from "./world/splits.ts";
