/** Who names and judges the heads of a study: the pool's tags, a language model, the paper, or a file of labels. */
import { agreementOf, joinVotes } from "../labeling/agreement.ts";
import { labelHeads } from "../labeling/label-heads.ts";
import type { Described, Judge, Labeller } from "../labeling/labeller.ts";
import { DESCRIPTIONS, type JudgedHead } from "../labeling/metrics.ts";
import { matchLabel, type SynonymMap } from "../labeling/synonym-map.ts";
import { tagJudge } from "../labeling/tags.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { Agreement } from "../results/judging.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { TextPool } from "../text/pool.ts";

/** Labels that are not of tags. */
export interface StudyLabelling {
  readonly labeller: Labeller;
  readonly judge: Judge;
  /** Both in words. */
  readonly words: { readonly labeller: string; readonly judge: string };
  /** A language model is asked: so for fewer resamples and draws. */
  readonly asks: boolean;
  /** Heads at a time. */
  readonly concurrency: number;
  readonly keepGoing: boolean;
  /** Words for the factors that a label may name. */
  readonly synonyms: SynonymMap;
}

/** Who labels in a study, for every model of it. */
export interface LabellingChoice {
  /** As a report says it: llm, published, or the name of a file. */
  readonly labeller: string;
  /** Resamples, and draws of each baseline, that a language model is asked about. */
  readonly asked: number;
  readonly of: (model: ClipModel, pool: TextPool) => Promise<StudyLabelling>;
}

/** Heads with labels and verdicts, and how far several judges agree. */
export interface LabelledForStudy {
  readonly judged: JudgedHead[];
  readonly agreement: Agreement | null;
}

/**
 * Labels and judges heads by their first five descriptions. A head without a label or without verdicts is left out, with
 * the warnings of {@link labelHeads}.
 */
export async function labelForStudy(
  heads: readonly Described[],
  { labeller, judge, concurrency, keepGoing }: StudyLabelling,
  work: WorkOptions,
): Promise<LabelledForStudy> {
  const first = heads.map((head) => ({ ...head, descriptions: head.descriptions.slice(0, DESCRIPTIONS) }));
  const { labels } = await labelHeads(first, {
    ...{ model: "", source: "", labeller, judge, concurrency, keepGoing, ...work },
  });
  const votes: NonNullable<(typeof labels.heads)[string]["judge"]>["votes"][] = [];
  const judged = heads.flatMap(({ layer, head, name }) => {
    const own = labels.heads[name];
    if (!own || own.consistent.length === 0) return [];
    votes.push(own.judge?.votes ?? []);
    return [{ layer, head, name, label: own.label, consistent: own.consistent }];
  });
  return { judged, agreement: agreementOf(joinVotes(votes)) };
}

/** Judges by tags labels that are not of the pool: each stands for the tag that it is another word for. */
export const tagJudgeOf =
  (tags: readonly string[], synonyms: SynonymMap): Judge =>
  (label, head, options) =>
    tagJudge("")(matchLabel(label, tags, synonyms) ?? label, head, options);

/** The same heads with the factors that their labels stand for, where they stand for any. */
export const asFactors = (
  heads: readonly JudgedHead[],
  factors: readonly string[],
  synonyms: SynonymMap,
): JudgedHead[] =>
  heads.map((head) => ({ ...head, label: matchLabel(head.label, factors, synonyms) ?? head.label }));
