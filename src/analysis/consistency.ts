/**
 * Concept consistency of heads ("Pruning the Paradox: How CLIP's Most Informative Heads Enhance Performance While
 * Amplifying Bias", §3): CCS(h) = how many of a head's descriptions a judge found to fit its label. The paper calls 5
 * of 5 high, 3 moderate, at most 1 low.
 */
import { z } from "zod";
import { parseComponents, type Sizes } from "../model/components.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import type { NamedSet } from "./ablation-study.ts";

const labelsSchema = z.object({
  heads: z.record(
    z.string().regex(/^L\d+\.H\d+$/, "heads are written L10.H3"),
    z.object({ consistent: z.array(z.boolean()).min(1) }),
  ),
});

/**
 * The heads of high, moderate and low consistency, as sets to be ablated; kinds without a head are left out.
 * @param file a labels file whose heads have been judged
 * @throws `INPUT_NOT_FOUND`, `JSON_INVALID`, `HEADS_INVALID` for heads the model does not have
 */
export async function consistencySets(file: string, sizes: Sizes): Promise<NamedSet[]> {
  const parsed = labelsSchema.safeParse(await readJson(file));
  if (!parsed.success) {
    const message = `${file} does not say which descriptions fit: ${z.prettifyError(parsed.error)}`;
    const hint = "Give a labels file with `consistent` for every head, as `label` writes it.";
    throw new ClipInterpretError("JSON_INVALID", message, { hint });
  }
  const scores = Object.entries(parsed.data.heads).map(([head, { consistent }]) => ({
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
