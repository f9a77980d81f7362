/** The pool of the generated world: each value of each factor in several phrases, in the words of its captions. */
import type { PoolText } from "../../src/text/pool.ts";
import { countedConcept, countedGroup, EFFECT_WORDS, POSITION_PHRASES } from "../../src/world/captions.ts";
import { CONCEPTS, GROUPS } from "../../src/world/concepts.ts";
import {
  BACKDROPS,
  BACKGROUND_NAMES,
  COUNTS,
  EFFECTS,
  POSITIONS,
  SIZE_NAMES,
  TRAINING_STYLES,
} from "../../src/world/factors.ts";
import { fill } from "./expand.ts";

const SHOWN = [
  "{}",
  "a picture of {}",
  "an image of {}",
  "a drawing of {}",
  "a photo of {}",
  "an icon of {}",
  "we see {}",
  "this shows {}",
];
const STYLED = [
  "{} style",
  "{} style picture",
  "{} style image",
  "{} style drawing",
  "{} style icon",
  "something in {} style",
  "an object in {} style",
  "{a} picture",
  "{a} image",
  "{a} drawing",
  "{a} icon",
  "{a} emoji",
  "{a} drawing of something",
  "{a} picture of an object",
];
const PLACED = [
  "{}",
  "something {}",
  "an object {}",
  "a picture of something {}",
  "we see something {}",
  "this shows something {}",
];
const BEHIND = [
  "{} background",
  "{a} background",
  "on {}",
  "on {a} background",
  "with {a} backdrop",
  "something on {}",
  "something on {a} background",
  "something with {a} backdrop",
  "an object on {}",
  "an object with {a} backdrop",
  "a picture of something on {a} background",
  "we see something on {}",
  "this shows something on {a} background",
];
const TREATED = [
  "{a} picture",
  "{a} image",
  "{a} photo",
  "{a} drawing",
  "{a} icon",
  "{a} emoji",
  "{a} image of something",
  "{a} drawing of an object",
];
const countWords = (n: (typeof COUNTS)[number]): string[] =>
  n === 1
    ? ["one thing", "one object"]
    : ["things", "objects"].map((noun) => `${["two", "three", "four"][n - 2]} ${noun}`);

/** A text, and the value of the factor that it names. */
export interface ValuedText extends PoolText {
  readonly property: string;
  readonly value: string | number;
}

/** Every word for every value in every template. */
const each = <T extends string | number>(
  property: string,
  values: readonly T[],
  wordsFor: (value: T) => readonly string[],
  templates: readonly string[],
): ValuedText[] =>
  values.flatMap((value) =>
    wordsFor(value).flatMap((word) =>
      templates.map((template) => ({ text: fill(template, word), property, value })),
    ),
  );
const itself = <T>(value: T): T[] => [value];
const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);

/** Every text of the pool, in order, with what it names. The properties are those of `PROPERTY_FACTORS`. */
export const emojiTexts = (): ValuedText[] => [
  ...each("concept", names(CONCEPTS), (name) => [countedConcept(name, 1)], SHOWN.slice(0, 2)),
  ...each("group", names(GROUPS), (name) => [countedGroup(name, 1)], SHOWN),
  ...each("style", TRAINING_STYLES, itself, STYLED),
  ...each("count", COUNTS, countWords, SHOWN),
  ...each("size", SIZE_NAMES, (name) => [`a ${name} object`, `a ${name} thing`], SHOWN),
  ...each("position", POSITIONS, (name) => POSITION_PHRASES[name], PLACED),
  ...each("background", BACKGROUND_NAMES, itself, BEHIND),
  ...each(
    "backdrop",
    BACKDROPS,
    itself,
    BEHIND.filter((template) => !template.endsWith("on {}")),
  ),
  ...each("effect", EFFECTS, (name) => EFFECT_WORDS[name], TREATED),
];

/** Every text of the pool, in order. */
export const emojiPool = (): PoolText[] => emojiTexts().map(({ text, property }) => ({ text, property }));
