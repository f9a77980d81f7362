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
  ABLATIONS,
  type Ablation,
  type AblationMode,
  type AblationOptions,
  createAblation,
} from "./analysis/ablation.ts";
export {
  type AblationRow,
  type AblationStudy,
  type NamedSet,
  type StudyOptions,
  studyAblation,
} from "./analysis/ablation-study.ts";
export { type ClassScores, createClassScores } from "./analysis/class-scores.ts";
export { type ClassSet, classProbes, defaultClasses, type ZeroShotClass } from "./analysis/classes.ts";
export { readClasses } from "./analysis/classes-file.ts";
export {
  type BestMatch,
  type CommonFactor,
  type ComparedSide,
  type CompareOptions,
  type Comparison,
  compareModels,
  type HeadPair,
} from "./analysis/compare.ts";
export { consistencySets } from "./analysis/consistency.ts";
export type { CueGap } from "./analysis/cue-heads.ts";
export { type SplitProblem, splitByCue } from "./analysis/cue-problem.ts";
export {
  type DebiasOptions,
  type DebiasResult,
  type DebiasSelection,
  debias,
} from "./analysis/debias.ts";
export { type Explanation, explain, explainImage, type ImageExplanation } from "./analysis/explain.ts";
export {
  ablationGate,
  forwardScores,
  type MeanOutputs,
  meanOutputs,
  openGate,
} from "./analysis/forward-ablation.ts";
export { type ForwardOptions, type ForwardStudy, studyForward } from "./analysis/forward-study.ts";
export {
  findNeighbors,
  type Neighbor,
  type NeighborOptions,
  type Neighbors,
  type Query,
  SCORINGS,
  type Scoring,
} from "./analysis/neighbors.ts";
export { PLANTED_CUE, plantedClasses } from "./analysis/planted-bias.ts";
export { loadProperties, type Properties } from "./analysis/properties.ts";
export { type ControlBand, drawControls } from "./analysis/random-heads.ts";
export { type ReferenceArrays, writeReferenceArrays } from "./analysis/reference-arrays.ts";
export {
  type MeanShare,
  measureRetrieval,
  type RetrievalOptions,
  type RetrievalResult,
  type RetrievalRow,
} from "./analysis/retrieval.ts";
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
export type { NamedShare, Partition, ZeroShotAccuracy } from "./analysis/zero-shot.ts";
export {
  prepareZeroShot,
  problemAccuracy,
  type Robustness,
  type ZeroShotOptions,
  type ZeroShotProblem,
} from "./analysis/zero-shot-problem.ts";
export type { ModelConfig, TextConfig, TowerConfig, VisionConfig } from "./checkpoint/model-config.ts";
export { type BuildOptions, type BuildResult, buildIndex } from "./corpus/build.ts";
export { exportParquet } from "./corpus/export-parquet.ts";
export { exportPrs } from "./corpus/export-prs.ts";
export { createHeadCache, type HeadCache } from "./corpus/head-cache.ts";
export type { Dtype, Layout, Manifest, Origin, ShardEntry } from "./corpus/manifest.ts";
export { hashIndex, meanContribution } from "./corpus/means.ts";
export { checkIndex, type Index, type IndexCheck, openIndex, requireModelOf } from "./corpus/open-index.ts";
export type { ImageRow, RejectedRow } from "./corpus/rows.ts";
export { createSearch, type Search } from "./corpus/search.ts";
export { type FactorValue, type Source, type SourceImage, scanSource } from "./corpus/source.ts";
export { type WorldIndexOptions, worldIndex } from "./corpus/world-index.ts";
export { KNOWN_MODELS, type KnownModel } from "./hub/known-models.ts";
export { createPuller, type PulledModel, type Puller } from "./hub/pull.ts";
export type { Patience } from "./hub/retry.ts";
export { type DecodeOptions, decodeImage } from "./image/decode.ts";
export { type Preprocessed, preprocess } from "./image/preprocess.ts";
export type { PreprocessConfig } from "./image/types.ts";
export type { Distribution } from "./math/rank.ts";
export { type Share, wilson } from "./math/wilson.ts";
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
export {
  CHECKPOINT_MEANS,
  type CheckpointMean,
  type ExportCheckpointOptions,
  type ExportedCheckpoint,
  everywhere,
  exportCheckpoint,
  oneMean,
} from "./model/export-checkpoint.ts";
export {
  type Calibration,
  type ExportEncoderOptions,
  type ExportedEncoder,
  exportEncoder,
} from "./model/export-encoder.ts";
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
export { type EmbedOptions, embedTexts } from "./model/text-cache.ts";
export type { LayerTokens, TokenTerms } from "./model/token-terms.ts";
export { type Device, listDevices } from "./onnx/device.ts";
export type { Precision } from "./onnx/linear.ts";
export type { Environment } from "./support/environment.ts";
export { ClipInterpretError, type ErrorCode } from "./support/errors.ts";
export { openNpyRows } from "./support/npy-stream.ts";
export type { ProgressEvent, Report, WorkOptions } from "./support/progress.ts";
export { defaultPool, loadPool, POOLS, type PoolName, type PoolText, type TextPool } from "./text/pool.ts";
export type { Tokenizer } from "./text/tokenizer.ts";
export { type AblationPicture, ablationPageHtml, ablationSvg } from "./views/ablation.ts";
export { debiasHtml, debiasSvg } from "./views/debias.ts";
export type { DebiasPicture } from "./views/debias-words.ts";
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
