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
} from "./analysis/ablation/ablation.ts";
export {
  ablationGate,
  forwardScores,
  type MeanOutputs,
  meanOutputs,
  openGate,
} from "./analysis/ablation/forward-ablation.ts";
export { type ForwardOptions, type ForwardStudy, studyForward } from "./analysis/ablation/forward-study.ts";
export { type ControlBand, drawControls } from "./analysis/ablation/random-heads.ts";
export {
  type AblationRow,
  type AblationStudy,
  type StudyOptions as AblationStudyOptions,
  studyAblation,
} from "./analysis/ablation/study.ts";
export { type ComparedSide, type CompareOptions, compareModels } from "./analysis/compare/compare.ts";
export type { CueGap } from "./analysis/debias/cue-heads.ts";
export { type SplitProblem, splitByCue } from "./analysis/debias/cue-problem.ts";
export {
  type DebiasOptions,
  type DebiasResult,
  type DebiasSelection,
  debias,
} from "./analysis/debias/debias.ts";
export { PLANTED_CUE, plantedClasses } from "./analysis/debias/planted-bias.ts";
export { type ReferenceArrays, writeReferenceArrays } from "./analysis/decompose/reference-arrays.ts";
export {
  explain,
  explainImage,
} from "./analysis/explain/explain.ts";
export {
  findNeighbors,
  imageQuery,
  type NeighborOptions,
  type Query,
  textQuery,
} from "./analysis/neighbors/neighbors.ts";
export { measureRetrieval, type RetrievalOptions } from "./analysis/neighbors/retrieval.ts";
export {
  attentionRollout,
  BASELINES as SEGMENTATION_BASELINES,
  type Baseline as SegmentationBaseline,
  type BaselineMap,
  type BaselineName,
  baselineMaps,
  rawAttention,
} from "./analysis/segmentation/baselines.ts";
export {
  type EvaluatedUnit,
  type EvaluateOptions,
  evaluateSegmentation,
  type MethodResult,
  type Protocol,
  type SegmentationEvaluation,
} from "./analysis/segmentation/evaluate.ts";
export {
  type ClassList,
  corpusMasks,
  type EvaluatedClass,
  loadClasses,
  type MaskedImage,
  type MaskedImages,
  pairMasks,
} from "./analysis/segmentation/masked-images.ts";
export type { Measured, Measures, SegmentationMetric } from "./analysis/segmentation/metrics.ts";
export {
  type SegmentOptions,
  segmentImage,
  type TokenMap,
  tokenHeads,
  tokenMap,
  type Winners,
  winnersOf,
} from "./analysis/segmentation/segmentation.ts";
export {
  measureSelectivity,
  type SelectivityOptions,
  selectiveHeads,
} from "./analysis/selectivity/selectivity.ts";
export {
  type SpanArraysOptions,
  type SpannedArrays,
  spanArrays,
  writeReconstruction,
} from "./analysis/textspan/arrays.ts";
export { type DescribeOptions, describeHeads } from "./analysis/textspan/describe-heads.ts";
export {
  type ResampledHead,
  type ResampleOptions,
  resampleDescriptions,
} from "./analysis/textspan/resample-descriptions.ts";
export { reconstruct, type Textspan, type TextspanOptions, textspan } from "./analysis/textspan/textspan.ts";
export type { Check } from "./analysis/verify/checks.ts";
export { loadSuite, type Suite, type SuiteName } from "./analysis/verify/suite.ts";
export { type Verification, verifyModel } from "./analysis/verify/verify.ts";
export type { PictureGuess } from "./analysis/verify/zero-shot.ts";
export { type ClassScores, createClassScores } from "./analysis/zero-shot/class-scores.ts";
export {
  type ClassSet,
  classProbes,
  defaultClasses,
  type ZeroShotClass,
} from "./analysis/zero-shot/classes.ts";
export { readClasses } from "./analysis/zero-shot/classes-file.ts";
export {
  prepareZeroShot,
  problemAccuracy,
  type Robustness,
  type ZeroShotOptions,
  type ZeroShotProblem,
} from "./analysis/zero-shot/problem.ts";
export type { NamedShare, Partition, ZeroShotAccuracy } from "./analysis/zero-shot/zero-shot.ts";
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
export { judgeHeads, measureBaselines, type OfflineLabelling } from "./labeling/baselines.ts";
export { type CalibrationGroup, calibrate, type Truth } from "./labeling/calibration.ts";
export { pluralityByChance } from "./labeling/chance.ts";
export { type DescribedHeads, readDescribed } from "./labeling/described-file.ts";
export { estimateCost, type Plan, type Prices } from "./labeling/estimate.ts";
export { findInconsistencies } from "./labeling/inconsistencies.ts";
export { type LabelledHeads, type LabelOptions, labelHeads } from "./labeling/label-heads.ts";
export type {
  AskOptions,
  Described,
  DescribedText,
  Judge,
  Labeller,
  Named,
  Verdict,
} from "./labeling/labeller.ts";
export { type Answer, createLlm, type Llm, type LlmOptions, type Parse, type Usage } from "./labeling/llm.ts";
export { type AnswerCache, createAnswerCache, type KeptAnswer } from "./labeling/llm-cache.ts";
export type { Question } from "./labeling/llm-chat.ts";
export { llmJudge, llmLabeller } from "./labeling/llm-labeller.ts";
export { createPace, type Pace } from "./labeling/llm-pace.ts";
export { manualLabeller } from "./labeling/manual.ts";
export { type MeasureOptions, measureLabelFiles } from "./labeling/measure-files.ts";
export {
  ccsOf,
  type JudgedHead,
  measureByLayer,
  measureByProperty,
  measureLabels,
} from "./labeling/metrics.ts";
export { normalizeLabel } from "./labeling/normalize-label.ts";
export { publishedLabeller } from "./labeling/published.ts";
export { compareSizes, type SizedModel } from "./labeling/size-comparison.ts";
export { tagJudge, tagLabeller } from "./labeling/tags.ts";
export { truthOf } from "./labeling/truth.ts";
export { consistencySets } from "./labels/consistency.ts";
export {
  type HeadLabel,
  type JudgeRecord,
  type LabellerKind,
  type Labels,
  type Maker,
  readLabels,
  writeLabels,
} from "./labels/labels-file.ts";
export { loadProperties, type Properties } from "./labels/properties.ts";
export type { PublishedLabels } from "./labels/published.ts";
export { type Grid, upsample } from "./math/bilinear.ts";
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
  type NamedSet,
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
  type Calibration as ExportCalibration,
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
export type { TokenOutputs } from "./model/token-outputs.ts";
export type { LayerTokens, TokenTerms } from "./model/token-terms.ts";
export { type Algebra, createAlgebra, type DenseMatrix } from "./onnx/algebra.ts";
export { type Device, listDevices } from "./onnx/device.ts";
export type { Precision } from "./onnx/linear.ts";
export type { BestMatch, CommonFactor, CompareResult, HeadPair } from "./results/compare.ts";
export type { ExplainResult, Explanation } from "./results/explain.ts";
export type { Estimate, Inconsistency, LabelResult, LabelUse } from "./results/label.ts";
export {
  BASELINES as LABEL_BASELINES,
  type Baseline as LabelBaseline,
  type Fold,
  type GroupMetrics,
  METRICS,
  type MetricIntervals,
  type MetricKey,
  type Metrics,
  type MetricsResult,
  type MetricValues,
  SYNONYMS,
  valuesOf,
} from "./results/metrics.ts";
export { type Neighbor, type NeighborsResult, SCORINGS, type Scoring } from "./results/neighbors.ts";
export type { MeanShare, RetrievalResult } from "./results/retrieval.ts";
export type { FactorSelectivity, SelectivityResult } from "./results/selectivity.ts";
export {
  CALIBRATION_MEASURES,
  type Calibration,
  type SizeComparison,
  type StudyHead,
  type StudyModel,
  type StudyResult,
  type StudySettings,
} from "./results/study.ts";
export type {
  ControlCurves,
  Description,
  Stability,
  TextspanArraysResult,
  TextspanResult,
} from "./results/textspan.ts";
export { runStudy, STUDY_DEFAULTS, type Study, type StudyOptions } from "./study/run-study.ts";
export type { Environment } from "./support/environment.ts";
export { ClipInterpretError, type ErrorCode } from "./support/errors.ts";
export { type NpyRows, openNpyRows } from "./support/npy-stream.ts";
export type { ProgressEvent, Report, WorkOptions } from "./support/progress.ts";
export { defaultPool, loadPool, POOLS, type PoolName, type PoolText, type TextPool } from "./text/pool.ts";
export type { Tokenizer } from "./text/tokenizer.ts";
export { type AblationPicture, ablationPageHtml, ablationSvg } from "./views/ablation/svg.ts";
export { debiasHtml, debiasSvg } from "./views/debias/svg.ts";
export type { DebiasPicture } from "./views/debias/words.ts";
export { explanationHtml } from "./views/explanation/page.ts";
export { explanationSvg } from "./views/explanation/svg.ts";
export { svgToPng } from "./views/kit/png.ts";
export { studyMarkdown } from "./views/study/markdown.ts";
export { studyHtml } from "./views/study/page.ts";
export {
  type Corpus,
  type CorpusOptions,
  type CorpusRow,
  type PlannedCorpus,
  planCorpus,
  readCorpus,
  writeCorpus,
} from "./world/corpus.ts";
export { PROPERTY_FACTORS } from "./world/properties.ts";
export type { Scene, SceneObject } from "./world/scene.ts";
export type { SplitName } from "./world/splits.ts";
