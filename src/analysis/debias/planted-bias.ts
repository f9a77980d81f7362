/** The bias that the embedded models were trained with, as a classification whose cue is known (`world/splits.ts`). */
import { factorPrompts } from "../../world/prompts.ts";
import { BIASED_PAIRS } from "../../world/splits.ts";
import type { ClassSet } from "../zero-shot/classes.ts";

/**
 * The factor that stands in for the concept.
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
 * The biased concepts; each is told from the other of its pair, as in the models' cards.
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

/** The texts that name a value of a factor of the world; undefined where it is none. */
export const worldTexts = (factor: string, value: string): readonly string[] | undefined =>
  factorPrompts()[factor]?.find((known) => String(known.value) === value)?.texts;
