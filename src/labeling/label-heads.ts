/** Labels a model's heads: a labeller names each, a judge says which descriptions fit. */

import type { HeadLabel, Labels } from "../labels/labels-file.ts";
import { type Head, headOf } from "../results/shapes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import type { AskOptions, Described, Judge, Labeller } from "./labeller.ts";
import { isOfOneAnswer } from "./llm-errors.ts";

/** How heads are labelled. */
export interface LabelOptions extends WorkOptions {
  readonly model: string;
  /** What the descriptions come from, in words; kept with the labels. */
  readonly source: string;
  readonly labeller: Labeller;
  /** Without one nothing is said about which descriptions fit. */
  readonly judge?: Judge | undefined;
  /** Heads at a time. Default: 1. */
  readonly concurrency?: number;
}

/** Labels, and the heads that have none. */
export interface LabelledHeads {
  readonly labels: Labels;
  readonly unlabelled: Head[];
}

const TASK = "label";

/**
 * Labels every head. A head that the labeller has no label for is reported in a `LABELS_MISSING` warning.
 *
 * An answer that cannot be used (`LLM_REFUSED`, `LLM_ANSWER_INVALID`) fails its head and, at the end, the whole; the
 * other heads get theirs first. Any other error ends the work: requests on their way may come back, none is begun.
 * Answers are in the cache then, so the same call goes on from there.
 * @throws what labeller and judge throw; `CANCELLED`
 * @example
 * ```ts
 * import { describeHeads, labelHeads, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, loadPool, tagJudge, tagLabeller } from "clip-interpret/labeling";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const pool = await loadPool(defaultPool(model.name));
 * const described = await describeHeads(model, index, parseHeads(model, "L1.H0,L3.H3"), pool, { iterations: 5 });
 * const { labels } = await labelHeads(described.heads, {
 *   ...{ model: model.name, source: "TEXTSPAN, five texts a head", labeller: tagLabeller(), judge: tagJudge() },
 * });
 * for (const [name, { label, consistent }] of Object.entries(labels.heads)) console.log(name, label, consistent);
 * // → L1.H0 background [ false, true, true, true, false ]
 * // → L3.H3 concept [ false, true, true, true, false ]
 * ```
 */
export async function labelHeads(
  heads: readonly Described[],
  { model, source, labeller, judge, concurrency = 1, report, signal }: LabelOptions,
): Promise<LabelledHeads> {
  const ending = new AbortController();
  const options: AskOptions = { ending: ending.signal, ...(report && { report }), ...(signal && { signal }) };
  const labelled = new Map<string, HeadLabel>();
  const refused: { head: string; error: ClipInterpretError }[] = [];
  let fatal: unknown;
  let done = 0;
  const queue = heads.values();
  const work = async () => {
    for (const head of queue) {
      if (ending.signal.aborted) return;
      try {
        checkCancelled(signal);
        const label = await labelHead(head, labeller, judge, options);
        if (label) labelled.set(head.name, label);
      } catch (error) {
        if (isOfOneAnswer(error)) refused.push({ head: head.name, error });
        else {
          // What fails because of the end is not its cause.
          if (!ending.signal.aborted) fatal = error;
          ending.abort();
          return;
        }
      }
      report?.({ type: "advance", task: TASK, done: ++done, total: heads.length });
    }
  };
  report?.({ type: "start", task: TASK, unit: "head", total: heads.length });
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  report?.({ type: "end", task: TASK, done });
  if (ending.signal.aborted) throw fatal;
  if (refused.length > 0) throw refusal(refused);
  const unlabelled = heads.filter(({ name }) => !labelled.has(name));
  if (unlabelled.length > 0) {
    const message = `no label for ${unlabelled.map(({ name }) => name).join(", ")}`;
    report?.({ type: "warning", code: "LABELS_MISSING", message });
  }
  const inOrder = heads.flatMap(({ name }): [string, HeadLabel][] => {
    const label = labelled.get(name);
    return label ? [[name, label]] : [];
  });
  return {
    labels: { model, source, heads: Object.fromEntries(inOrder) },
    unlabelled: unlabelled.map(({ layer, head }) => headOf(layer, head)),
  };
}

async function labelHead(
  head: Described,
  labeller: Labeller,
  judge: Judge | undefined,
  options: AskOptions,
): Promise<HeadLabel | undefined> {
  const named = await labeller(head, options);
  if (!named) return undefined;
  const { descriptions } = head;
  const verdict = descriptions.length > 0 ? await judge?.(named.label, head, options) : undefined;
  return {
    label: named.label,
    descriptions: descriptions.map(({ text }) => text),
    tags: descriptions.map(({ property }) => property),
    explainedVariance: descriptions.map(({ explainedVariance }) => explainedVariance),
    consistent: [...(verdict?.consistent ?? [])],
    labeller: named.labeller,
    judge: verdict?.judge ?? null,
  };
}

/** One error for all heads that got no usable answer. */
function refusal(refused: readonly { head: string; error: ClipInterpretError }[]): ClipInterpretError {
  const [{ head, error }, ...others] = refused;
  const more = others.length === 0 ? "" : ` (and ${others.map((other) => other.head).join(", ")})`;
  const { code, message, hint } = error;
  return new ClipInterpretError(code, `${head}${more}: ${message}`, { hint, cause: error });
}
