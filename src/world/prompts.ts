/** The texts that name each value of each factor, for zero-shot tests. */
import { article, countedConcept, countedGroup, EFFECT_WORDS, POSITION_PHRASES } from "./captions.ts";
import { CONCEPTS, GROUPS } from "./concepts.ts";
import {
  BACKDROPS,
  BACKGROUND_NAMES,
  COUNTS,
  EFFECTS,
  POSITIONS,
  SIZE_NAMES,
  TRAINING_STYLES,
} from "./factors.ts";

/** One value of a factor, with the texts that name it. */
export interface FactorValue {
  readonly value: string | number;
  readonly texts: readonly string[];
}

/** For every factor its values, in the order in which their indices are written. */
export function factorPrompts(): Readonly<Record<string, readonly FactorValue[]>> {
  const values = <T extends string | number>(names: readonly T[], textsOf: (name: T) => readonly string[]) =>
    names.map((value) => ({ value, texts: textsOf(value) }));
  const words = ["zero", "one", "two", "three", "four"];
  return {
    concept: CONCEPTS.map(({ name }) => ({
      value: name,
      texts: [name, countedConcept(name, 1), `a picture of ${countedConcept(name, 1)}`],
    })),
    group: GROUPS.map(({ name, one }) => ({
      value: name,
      texts: [name, one, `a picture of ${countedGroup(name, 1)}`],
    })),
    style: values(TRAINING_STYLES, (name) => [`${name} style`, `a ${name} drawing of one thing`]),
    count: values(COUNTS, (n) => [
      n === 1 ? "one thing" : `${words[n]} things`,
      n === 1 ? "one object" : `${words[n]} objects`,
    ]),
    size: values(SIZE_NAMES, (name) => [`a ${name} object`]),
    position: values(POSITIONS, (name) =>
      POSITION_PHRASES[name].flatMap((where) => [where, `something ${where}`]),
    ),
    background: values(BACKGROUND_NAMES, (name) => [
      `${name} background`,
      `${article(name)} ${name} background`,
    ]),
    backdrop: values(BACKDROPS, (name) => [`a ${name} background`]),
    effect: values(EFFECTS, (name) => EFFECT_WORDS[name].map((word) => `a ${word} picture`)),
  };
}
