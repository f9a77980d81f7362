/** Who labels in a study, as a user says it. */
import { basename } from "node:path";
import type { Judge, Labeller } from "../labeling/labeller.ts";
import { llmJudge, llmLabeller } from "../labeling/llm-labeller.ts";
import { manualLabeller, requireHeads } from "../labeling/manual.ts";
import { publishedLabeller } from "../labeling/published.ts";
import { readSynonyms } from "../labeling/synonym-map.ts";
import { readLabels } from "../labels/labels-file.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { allHeads, componentNames } from "../model/components.ts";
import { type LabellingChoice, tagJudgeOf } from "../study/labelling.ts";
import type { Environment } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { TextPool } from "../text/pool.ts";
import { createLlms, type LlmCliOptions } from "./llm-options.ts";

/** Options of a study about labels. */
export interface StudyLabellerOptions extends LlmCliOptions {
  /** tags, llm, published, or a labels file. */
  readonly labeller: string;
  readonly synonyms?: string;
  readonly llmDraws: number;
}

/**
 * What the options choose; undefined for the pool's tags. Labels that were there before are judged by the language model
 * where one is named, else by the pool's tags.
 * @throws `USAGE`; what reading labels, examples and synonyms throws
 */
export async function labellingOf(
  options: StudyLabellerOptions,
  env: Environment,
): Promise<LabellingChoice | undefined> {
  const { labeller, llmUrl, keepGoing, llmConcurrency: concurrency, llmDraws: asked } = options;
  if (labeller === "tags") {
    if (llmUrl !== undefined || options.judgeModel.length > 0)
      throw new ClipInterpretError("USAGE", "--llm-url needs --labeller llm, published or a labels file");
    return undefined;
  }
  const asks = labeller === "llm" || llmUrl !== undefined || options.judgeModel.length > 0;
  const models = asks ? await createLlms(options, labeller === "llm", env) : undefined;
  const synonyms = options.synonyms === undefined ? {} : await readSynonyms(options.synonyms);
  const naming = async (model: ClipModel): Promise<{ labeller: Labeller; words: string }> => {
    if (labeller === "llm" && models)
      return { labeller: llmLabeller(models.llm, models.prompts), words: models.llm.model };
    if (labeller === "published") {
      const found = await publishedLabeller(model.name);
      return { labeller: found.labeller, words: found.published.source };
    }
    const labels = await readLabels(labeller, model.name);
    requireHeads(labels, componentNames(allHeads(model.geometry), model.geometry), labeller);
    return { labeller: manualLabeller(labels), words: basename(labeller) };
  };
  const judging = ({ texts }: TextPool): { judge: Judge; words: string } => {
    if (models) {
      const words = models.judges.map(({ model }) => model).join(", ");
      return { judge: llmJudge(models.judges, models.prompts), words };
    }
    const tags = [...new Set(texts.flatMap(({ property }) => property ?? []))];
    return { judge: tagJudgeOf(tags, synonyms), words: "the tags of the pool" };
  };
  return {
    labeller: ["llm", "published"].includes(labeller) ? labeller : basename(labeller),
    asked,
    async of(model, pool) {
      const [named, judged] = [await naming(model), judging(pool)];
      return {
        ...{ labeller: named.labeller, judge: judged.judge, asks, synonyms, keepGoing },
        words: { labeller: named.words, judge: judged.words },
        concurrency: asks ? concurrency : 1,
      };
    },
  };
}
