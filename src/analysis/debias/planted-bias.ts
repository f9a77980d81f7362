/** The bias that the embedded models were trained with, as a classification whose cue is known (`world/splits.ts`). */
import type { ClipModel } from "../../model/clip-model.ts";
import { factorPrompts } from "../../world/prompts.ts";
import { BIASED_PAIRS } from "../../world/splits.ts";
import { type ClassSet, classProbes, type EmbedTexts, fillTemplate } from "../zero-shot/classes.ts";
import type { CueProblem } from "./cue-problem.ts";

/**
 * The factor that the model takes for the concept.
 *
 * @example
 * ```ts
 * import { PLANTED_CUE } from "clip-interpret/evaluation";
 *
 * console.log(PLANTED_CUE); // → background
 * ```
 */
export const PLANTED_CUE = "background";

/**
 * The biased concepts; each is classified against the other of its pair, as in the models' cards.
 *
 * @example
 * ```ts
 * import { plantedClasses } from "clip-interpret/evaluation";
 *
 * const { classes } = plantedClasses();
 * console.log(classes.length, classes[0].contest); // → 12 tiger or leopard
 * ```
 */
export function plantedClasses(): ClassSet {
  const texts = new Map(factorPrompts().concept.map((concept) => [concept.value, concept.texts] as const));
  const classes = BIASED_PAIRS.flatMap((pair) =>
    pair.map((name) => ({
      name,
      texts: texts.get(name) ?? [name],
      values: [name],
      contest: pair.join(" or "),
    })),
  );
  return { factor: "concept", unless: null, classes };
}

/**
 * One probe a value of the cue, of unit length: from the templates, else the world's own texts, else the bare value.
 * @param templates texts with {} for a value
 */
export async function cueProbes(
  { config: { embedDim } }: Pick<ClipModel, "config">,
  { cueFactor, cue }: CueProblem,
  templates: readonly string[],
  embed: EmbedTexts,
): Promise<Float64Array[]> {
  const known = factorPrompts()[cueFactor] ?? [];
  const textsOf = (value: string) =>
    templates.length > 0
      ? templates.map((template) => fillTemplate(template, value))
      : (known.find((of) => String(of.value) === value)?.texts ?? [value]);
  const classes = cue.names.map((name) => ({ name, values: [name], contest: null, texts: textsOf(name) }));
  const probes = await classProbes({ classes }, embedDim, embed);
  return classes.map((_, i) => probes.subarray(i * embedDim, (i + 1) * embedDim));
}
