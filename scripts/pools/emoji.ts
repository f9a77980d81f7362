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
import { expand, type Family } from "./expand.ts";

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
const COUNT_WORDS = ["one", "two", "three", "four"];

const everyTemplate = (property: string, words: readonly string[], templates: readonly string[]): Family => ({
  property,
  words,
  templates,
  each: templates.length,
});

const FAMILIES: readonly Family[] = [
  everyTemplate(
    "concept",
    CONCEPTS.map(({ name }) => countedConcept(name, 1)),
    SHOWN.slice(0, 2),
  ),
  everyTemplate(
    "group",
    GROUPS.map(({ name }) => countedGroup(name, 1)),
    SHOWN,
  ),
  everyTemplate("style", TRAINING_STYLES, [
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
  ]),
  everyTemplate(
    "count",
    COUNTS.flatMap((n) =>
      n === 1
        ? ["one thing", "one object"]
        : [`${COUNT_WORDS[n - 1]} things`, `${COUNT_WORDS[n - 1]} objects`],
    ),
    SHOWN,
  ),
  everyTemplate(
    "size",
    SIZE_NAMES.flatMap((name) => [`a ${name} object`, `a ${name} thing`]),
    SHOWN,
  ),
  everyTemplate(
    "position",
    POSITIONS.flatMap((name) => POSITION_PHRASES[name]),
    ["{}", "something {}", "an object {}", "a picture of something {}", "we see something {}", "this shows something {}"],
  ),
  everyTemplate("background", BACKGROUND_NAMES, [
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
  ]),
  everyTemplate("backdrop", BACKDROPS, [
    "{} background",
    "{a} background",
    "on {a} background",
    "with {a} backdrop",
    "something on {a} background",
    "something with {a} backdrop",
    "an object on {a} background",
    "an object with {a} backdrop",
    "a picture of something on {a} background",
    "we see something on {a} background",
    "this shows something on {a} background",
  ]),
  everyTemplate(
    "effect",
    EFFECTS.flatMap((name) => EFFECT_WORDS[name]),
    [
      "{a} picture",
      "{a} image",
      "{a} photo",
      "{a} drawing",
      "{a} icon",
      "{a} emoji",
      "{a} image of something",
      "{a} drawing of an object",
    ],
  ),
];

/** Every text of the pool, in order. Its properties are those of `PROPERTY_FACTORS`. */
export const emojiPool = (): PoolText[] => expand(FAMILIES);
