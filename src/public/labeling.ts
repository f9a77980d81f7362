/** `clip-interpret/labeling`: who names and judges heads, the texts that they are described in, and the labels file. */

export { type FindHeadsOptions, findHeads } from "../analysis/atlas/find-heads.ts";
export { type AtlasLabels, loadAtlasLabels } from "../analysis/atlas/labels.ts";
export {
  type ChanceOptions,
  describeFromWeights,
  type FromWeightsOptions,
} from "../analysis/from-weights/from-weights.ts";
export type { AskOptions, Described, Judge, Labeller, Named, Verdict } from "../labeling/labeller.ts";
export { createLlm, type Llm, type LlmOptions } from "../labeling/llm.ts";
export { type AnswerCache, createAnswerCache } from "../labeling/llm-cache.ts";
export { type Example, readExamples } from "../labeling/llm-examples.ts";
export { llmJudge, llmLabeller } from "../labeling/llm-labeller.ts";
export { createPrompts, type PromptOptions, type Prompts } from "../labeling/llm-prompts.ts";
export { manualLabeller } from "../labeling/manual.ts";
export { publishedLabeller } from "../labeling/published.ts";
export { tagJudge, tagLabeller } from "../labeling/tags.ts";
export { type HeadLabel, type Labels, readLabels, writeLabels } from "../labels/labels-file.ts";
export { loadProperties, type Properties } from "../labels/properties.ts";
export { type EmbedOptions, embedTexts } from "../model/text-cache.ts";
export { defaultPool, loadPool, type PoolName, type PoolText, type TextPool } from "../text/pool.ts";
