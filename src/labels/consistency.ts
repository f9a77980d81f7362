/**
 * Concept consistency of heads ("Pruning the Paradox: How CLIP's Most Informative Heads Enhance Performance While
 * Amplifying Bias", §3): CCS(h) = how many of a head's descriptions a judge found to fit its label. The paper calls 5
 * of 5 high, 3 moderate, at most 1 low.
 */
import { type NamedSet, parseComponents, type Sizes } from "../model/components.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readLabels } from "./labels-file.ts";

/**
 * The heads of high, moderate and low consistency, as sets to be ablated; kinds without a head are left out, and heads
 * that nobody judged belong to none.
 * @param file a labels file whose heads have been judged
 * @throws `INPUT_NOT_FOUND`, `JSON_INVALID`, `HEADS_INVALID` for heads the model does not have
 */
export async function consistencySets(file: string, sizes: Sizes): Promise<NamedSet[]> {
  const { heads } = await readLabels(file);
  const judged = Object.entries(heads).filter(([, { consistent }]) => consistent.length > 0);
  if (judged.length === 0) {
    const hint = "Give a labels file whose heads have `consistent`, as `label` writes it.";
    const message = `${file} does not say which descriptions fit the labels`;
    throw new ClipInterpretError("JSON_INVALID", message, { hint });
  }
  // Of five descriptions this is the count; of another number the same share.
  const scores = judged.map(([head, { consistent }]) => ({
    head,
    score: (5 * consistent.filter(Boolean).length) / consistent.length,
  }));
  const kinds: readonly (readonly [string, (score: number) => boolean])[] = [
    ["high consistency (CCS 5)", (score) => score === 5],
    ["moderate consistency (CCS 3)", (score) => score === 3],
    ["low consistency (CCS ≤ 1)", (score) => score <= 1],
  ];
  return kinds.flatMap(([name, is]) => {
    const heads = scores.filter(({ score }) => is(score)).map(({ head }) => head);
    return heads.length === 0 ? [] : [{ name, set: parseComponents(heads.join(), sizes) }];
  });
}
