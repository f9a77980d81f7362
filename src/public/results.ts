/** `clip-interpret/results`: the shape of every result, as `--json` prints it and analyses return it. */

import { atlasHeadResultSchema, atlasResultSchema, knowingHeadsSchema } from "../results/atlas.ts";
import { benchmarkResultSchema } from "../results/benchmark.ts";
import { calibrateResultSchema } from "../results/calibrate.ts";
import { compareResultSchema } from "../results/compare.ts";
import { debiasResultSchema } from "../results/debias.ts";
import { decomposeResultSchema, decomposeTextsResultSchema } from "../results/decompose.ts";
import { demoResultSchema } from "../results/demo.ts";
import { explainResultSchema } from "../results/explain.ts";
import { exportResultSchema } from "../results/export.ts";
import { faithfulnessSchema } from "../results/faithfulness.ts";
import { fineTuneResultSchema } from "../results/fine-tune.ts";
import { fromWeightsResultSchema } from "../results/from-weights.ts";
import { indexCheckSchema, indexResultSchema } from "../results/index-run.ts";
import { labelEstimateSchema, labelResultSchema } from "../results/label.ts";
import { metricsResultSchema } from "../results/metrics.ts";
import { modelsResultSchema, pullResultSchema } from "../results/models.ts";
import { neighborsResultSchema } from "../results/neighbors.ts";
import { preprocessResultSchema } from "../results/preprocess.ts";
import { refereeResultSchema } from "../results/referee.ts";
import { registersResultSchema } from "../results/registers.ts";
import { retrievalResultSchema } from "../results/retrieval.ts";
import { segmentResultSchema } from "../results/segment.ts";
import { segmentationEvaluationSchema } from "../results/segmentation-evaluation.ts";
import { selectivityResultSchema } from "../results/selectivity.ts";
import { studyResultSchema } from "../results/study.ts";
import { textspanArraysResultSchema, textspanResultSchema } from "../results/textspan.ts";
import { tokenizeResultSchema } from "../results/tokenize.ts";
import { verifyResultSchema } from "../results/verify.ts";
import { wordsResultSchema } from "../results/words.ts";
import { zeroShotResultSchema } from "../results/zero-shot.ts";

/**
 * The zod schema of every result, by the command whose `--json` prints it. Fields are described in it.
 *
 * @example
 * ```ts
 * import { explainImage, openModel } from "clip-interpret";
 * import { resultSchemas } from "clip-interpret/results";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const found = await explainImage(model, "examples/scenes/images/0067-monkey.png", ["a monkey"]);
 * const kept = JSON.parse(JSON.stringify(found)); // or what `clip-interpret explain --json` printed
 * console.log(resultSchemas.explain.parse(kept).origin.model.name); // → emoji-4x128-p8
 * console.log(resultSchemas.explain.safeParse({ ...kept, texts: "none" }).success); // → false
 * ```
 */
export const resultSchemas = {
  calibrate: calibrateResultSchema,
  atlas: atlasResultSchema,
  "atlas --head": atlasHeadResultSchema,
  "atlas --knows": knowingHeadsSchema,
  compare: compareResultSchema,
  "compare --base": fineTuneResultSchema,
  debias: debiasResultSchema,
  decompose: decomposeResultSchema,
  "decompose --text": decomposeTextsResultSchema,
  demo: demoResultSchema,
  "evaluate benchmark": benchmarkResultSchema,
  "evaluate maps": faithfulnessSchema,
  "evaluate retrieval": retrievalResultSchema,
  "evaluate segmentation": segmentationEvaluationSchema,
  "evaluate zero-shot": zeroShotResultSchema,
  explain: explainResultSchema,
  "explain --words": wordsResultSchema,
  export: exportResultSchema,
  index: indexResultSchema,
  "index --check": indexCheckSchema,
  label: labelResultSchema,
  "label --estimate": labelEstimateSchema,
  metrics: metricsResultSchema,
  models: modelsResultSchema,
  neighbors: neighborsResultSchema,
  preprocess: preprocessResultSchema,
  pull: pullResultSchema,
  registers: registersResultSchema,
  referee: refereeResultSchema,
  segment: segmentResultSchema,
  selectivity: selectivityResultSchema,
  study: studyResultSchema,
  textspan: textspanResultSchema,
  "textspan --from-weights": fromWeightsResultSchema,
  "textspan arrays": textspanArraysResultSchema,
  tokenize: tokenizeResultSchema,
  verify: verifyResultSchema,
};

export type { AtlasHeadResult, AtlasResult, KnowingHeads } from "../results/atlas.ts";
export type { BenchmarkResult } from "../results/benchmark.ts";
export type { CompareResult } from "../results/compare.ts";
export type { DebiasResult } from "../results/debias.ts";
export type { ExplainResult, Explanation } from "../results/explain.ts";
export type { Faithfulness } from "../results/faithfulness.ts";
export type { FineTuneResult } from "../results/fine-tune.ts";
export type { FromWeightsResult } from "../results/from-weights.ts";
export type { LabelResult } from "../results/label.ts";
export type { MetricsResult } from "../results/metrics.ts";
export type { NeighborsResult } from "../results/neighbors.ts";
export type { Origin } from "../results/origin.ts";
export type { RefereeResult } from "../results/referee.ts";
export type { RegistersResult } from "../results/registers.ts";
export type { RetrievalResult } from "../results/retrieval.ts";
export type { SegmentResult } from "../results/segment.ts";
export type { SegmentationEvaluation } from "../results/segmentation-evaluation.ts";
export type { SelectivityResult } from "../results/selectivity.ts";
export type { Head, ReadComponents } from "../results/shapes.ts";
export type { StudyResult } from "../results/study.ts";
export type { TextspanArraysResult, TextspanResult } from "../results/textspan.ts";
export type { WordPart, WordsResult } from "../results/words.ts";
export type { ZeroShotResult } from "../results/zero-shot.ts";
