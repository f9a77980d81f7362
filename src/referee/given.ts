/** Labels that come from elsewhere: a language model, or a file. They are judged as they are, and made once. */
import { basename } from "node:path";
import { labelHeads } from "../labeling/label-heads.ts";
import type { Labeller } from "../labeling/labeller.ts";
import { requireHeads } from "../labeling/manual.ts";
import { matchLabel, type SynonymMap } from "../labeling/synonym-map.ts";
import { oneLabelEach, readLabelsFile } from "../labels/labels-file.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { allHeads, componentNames } from "../model/components.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Bench } from "./bench.ts";
import type { Claim, Method } from "./method.ts";
import { describe } from "./methods/textspan.ts";

/** A method whose labels are made once, of all images and texts. */
export interface GivenMethod extends Omit<Method, "judge"> {
  /** Undefined where it says nothing of a model. */
  judge(bench: Bench): Promise<Claim[] | undefined>;
}

const PAPER = "Gandelsman, Efros & Steinhardt 2024; Madasu et al. 2024";

/** What is listed of the language model whether there is one or not. */
export const LLM: Omit<Method, "judge"> = {
  key: "llm",
  name: "TEXTSPAN + language model",
  paper: PAPER,
  reads: ["images", "texts", "a language model"],
};

/** Who names heads by their five texts, if anybody does. */
export interface RefereeLlm {
  readonly labeller: Labeller;
  readonly concurrency: number;
  readonly keepGoing: boolean;
}

/** TEXTSPAN's five texts, named by a language model. */
export const byLanguageModel = (
  { labeller, concurrency, keepGoing }: RefereeLlm,
  synonyms: SynonymMap,
): GivenMethod => ({
  ...LLM,
  async judge(bench) {
    const { report, signal } = bench;
    const { labels } = await labelHeads(await describe(bench), {
      ...{ model: bench.model.name, source: "TEXTSPAN", labeller, concurrency, keepGoing },
      ...{ ...(report && { report }), ...(signal && { signal }) },
    });
    return asClaims(bench, (name) => labels.heads[name]?.label, synonyms);
  },
});

/**
 * Labels of a file, as `label` writes them or by hand. It may be of one model, of several, or of any.
 * @throws `JSON_INVALID` and the like of the file; `HEADS_INVALID` for heads that a model does not have; `USAGE` for a file
 *   that is given twice
 */
export async function byFiles(paths: readonly string[], synonyms: SynonymMap): Promise<GivenMethod[]> {
  const names = paths.map((path) => basename(path));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ClipInterpretError("USAGE", `two files with labels are named ${twice}`);
  return Promise.all(paths.map((path) => byFile(path, synonyms)));
}

async function byFile(path: string, synonyms: SynonymMap): Promise<GivenMethod> {
  const { name, models } = await readLabelsFile(path);
  const labelsOf = (model: ClipModel) => {
    const listed = models.find((labels) => labels.model === model.name || labels.model === "");
    if (!listed) return undefined;
    const labels = oneLabelEach(listed, path);
    requireHeads(labels, componentNames(allHeads(model.geometry), model.geometry), path);
    return labels;
  };
  return {
    ...{ key: `file ${name}`, name, paper: "labels of a file", reads: ["a file"] },
    async judge(bench) {
      const labels = labelsOf(bench.model);
      return labels && asClaims(bench, (head) => labels.heads[head]?.label, synonyms);
    },
  };
}

/** Labels as the properties that they are words for; others stay as they are, and are never right. */
const asClaims = (
  { heads, properties }: Bench,
  labelOf: (head: string) => string | undefined,
  synonyms: SynonymMap,
): Claim[] =>
  heads.map(({ layer, head, name }) => {
    const label = labelOf(name);
    return {
      ...{ layer, head, name, scores: [] },
      label: label === undefined ? null : (matchLabel(label, properties, synonyms) ?? label),
    };
  });
