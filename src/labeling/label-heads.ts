/** Labels a model's heads: a labeller names each, a judge says which descriptions fit. */

import type { HeadLabel, Labels } from "../labels/labels-file.ts";
import type { FailedHead } from "../results/label.ts";
import { type Head, headOf } from "../results/shapes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import type { AskOptions, Described, Judge, Labeller, Named, Verdict } from "./labeller.ts";
import { isOfOneAnswer, mayBeOfOneRequest } from "./llm-errors.ts";

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
  /** What fails for one head is named, and the others are labelled. Default: false. */
  readonly keepGoing?: boolean;
}

/** Labels, and the heads that have none. */
export interface LabelledHeads {
  readonly labels: Labels;
  readonly unlabelled: Head[];
  /** Heads that a request failed for: they have no label, or no verdicts. */
  readonly failed: FailedHead[];
}

const TASK = "label";
/** So many heads in a row without an answer are the server's failure, not theirs. */
const MOST_IN_A_ROW = 3;

/**
 * Labels every head. A head that the labeller has no label for is reported in a `LABELS_MISSING` warning.
 *
 * An answer that cannot be used (`LLM_REFUSED`, `LLM_ANSWER_INVALID`) fails its head and, at the end, the whole; the
 * other heads get theirs first. With `keepGoing` it fails its head alone, and so does a request that the server rejects or
 * does not answer, unless three heads in a row have that: they are `failed`, in an `LLM_INCOMPLETE` warning, and asked about
 * again by the same call. Any other error ends the work: requests on their way may come back, none is begun. Answers are
 * in the cache then, so the same call goes on from there.
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
  { model, source, labeller, judge, concurrency = 1, keepGoing = false, report, signal }: LabelOptions,
): Promise<LabelledHeads> {
  const ending = new AbortController();
  const options: AskOptions = { ending: ending.signal, ...(report && { report }), ...(signal && { signal }) };
  const labelled = new Map<string, HeadLabel>();
  const failures = new Map<string, Failure>();
  let fatal: unknown;
  let [done, inARow] = [0, 0];
  /** Whether a failure is its head's alone. */
  const isOfHead = (error: unknown): error is ClipInterpretError =>
    isOfOneAnswer(error) || (keepGoing && mayBeOfOneRequest(error) && ++inARow < MOST_IN_A_ROW);
  const queue = heads.values();
  const work = async () => {
    for (const head of queue) {
      if (ending.signal.aborted) return;
      try {
        checkCancelled(signal);
        const { label, failure } = await labelHead(head, labeller, judge, options, isOfHead);
        if (label) labelled.set(head.name, label);
        if (failure) failures.set(head.name, failure);
        else inARow = 0;
      } catch (error) {
        // What fails because of the end is not its cause.
        if (!ending.signal.aborted) fatal = error;
        ending.abort();
        return;
      }
      report?.({ type: "advance", task: TASK, done: ++done, total: heads.length });
    }
  };
  report?.({ type: "start", task: TASK, unit: "head", total: heads.length });
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  report?.({ type: "end", task: TASK, done });
  if (ending.signal.aborted) throw fatal;
  const failed = heads.flatMap((head) => {
    const failure = failures.get(head.name);
    return failure ? [{ head, ...failure }] : [];
  });
  if (failed.length > 0 && !keepGoing) throw refusal(failed);
  if (failed.length > 0) {
    const names = failed.map(({ head, step }) => (step === "judge" ? `${head.name} (verdicts)` : head.name));
    const message = `no usable answer for ${names.join(", ")}; the same command asks for them again`;
    report?.({ type: "warning", code: "LLM_INCOMPLETE", message });
  }
  const unlabelled = heads.filter(({ name }) => !labelled.has(name) && !failures.has(name));
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
    failed: failed.map(({ head: { layer, head }, step, error }) => ({
      ...{ ...headOf(layer, head), step, code: error.code, message: error.message },
    })),
  };
}

/** What failed for a head, and why. */
interface Failure {
  readonly step: FailedHead["step"];
  readonly error: ClipInterpretError;
}

/** A head's label as far as it can be had. @throws what is not the head's failure */
async function labelHead(
  head: Described,
  labeller: Labeller,
  judge: Judge | undefined,
  options: AskOptions,
  isOfHead: (error: unknown) => error is ClipInterpretError,
): Promise<{ label?: HeadLabel; failure?: Failure }> {
  const [named, unnamed] = await attempt(() => labeller(head, options), isOfHead);
  if (unnamed) return { failure: { step: "label", error: unnamed } };
  if (!named) return {};
  const { descriptions } = head;
  const judged = descriptions.length > 0 ? judge : undefined;
  const [verdict, unjudged] = await attempt(async () => judged?.(named.label, head, options), isOfHead);
  const label = headLabel(head, named, verdict);
  return unjudged ? { label, failure: { step: "judge", error: unjudged } } : { label };
}

/** What work gives, or the failure that is its head's alone. */
async function attempt<T>(
  work: () => Promise<T>,
  isOfHead: (error: unknown) => error is ClipInterpretError,
): Promise<readonly [T | undefined, ClipInterpretError?]> {
  try {
    return [await work()];
  } catch (error) {
    if (!isOfHead(error)) throw error;
    return [undefined, error];
  }
}

function headLabel({ descriptions }: Described, named: Named, verdict: Verdict | undefined): HeadLabel {
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
function refusal(failed: readonly { head: Head; error: ClipInterpretError }[]): ClipInterpretError {
  const [{ head, error }, ...others] = failed;
  const more = others.length === 0 ? "" : ` (and ${others.map((other) => other.head.name).join(", ")})`;
  const { code, message, hint } = error;
  const advice = `${hint} With --keep-going the others are labelled all the same.`;
  return new ClipInterpretError(code, `${head.name}${more}: ${message}`, { hint: advice, cause: error });
}
