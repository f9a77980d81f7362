/** Captions: true sentences about a scene, each mentioning a random subset of its factors. */

import { Random } from "../math/random.ts";
import { conceptNamed, groupNamed } from "./concepts.ts";
import type { Backdrop, Effect, Position } from "./factors.ts";
import { type Scene, sceneSeed } from "./scene.ts";

/** What a caption can mention; `other` is the second object of a scene of two. */
export const MENTIONS = [
  "concept",
  "other",
  "group",
  "style",
  "count",
  "size",
  "position",
  "arrangement",
  "background",
  "backdrop",
  "effect",
] as const;
export type Mention = (typeof MENTIONS)[number];

/** A sentence and the factors that it states. */
export interface Caption {
  readonly text: string;
  readonly says: readonly Mention[];
}

const COUNT_WORDS = ["zero", "one", "two", "three", "four"];

export const POSITION_PHRASES: Readonly<Record<Position, readonly string[]>> = {
  left: ["on the left", "at the left", "on the left side"],
  right: ["on the right", "at the right", "on the right side"],
  top: ["at the top", "near the top", "in the upper part"],
  bottom: ["at the bottom", "near the bottom", "in the lower part"],
  centre: ["in the centre", "in the center", "in the middle"],
};

export const EFFECT_WORDS: Readonly<Record<Effect, readonly string[]>> = {
  none: ["clear", "normal"],
  "black and white": ["black and white", "grayscale"],
  blurred: ["blurred", "blurry"],
  dark: ["dark", "underexposed"],
  grainy: ["grainy", "noisy"],
  faded: ["faded", "washed out"],
};

const PICTURES = ["picture", "image", "drawing", "photo", "icon", "emoji"];

/** "a" or "an", as the word asks. */
export function article(word: string): string {
  return /^[aeiou]/.test(word) ? "an" : "a";
}

/** "a cat", "two cats". */
export function countedConcept(concept: string, count: number): string {
  const { name, plural } = conceptNamed(concept);
  return count === 1 ? `${article(name)} ${name}` : `${COUNT_WORDS[count]} ${plural}`;
}

/** "an animal", "two animals". */
export function countedGroup(group: string, count: number): string {
  const { one, many } = groupNamed(group);
  return count === 1 ? one : `${COUNT_WORDS[count]} ${many}`;
}

/** "on a red background", "against graded red". */
export function backgroundPhrase(random: Random, colour: string, backdrop: Backdrop | null): string {
  const shade = backdrop === null ? colour : `${backdrop} ${colour}`;
  const graded = backdrop === "graded" ? [`on ${article(colour)} ${colour} gradient`] : [];
  return random.pick([
    `on ${article(shade)} ${shade} background`,
    `with ${article(shade)} ${shade} backdrop`,
    `on ${shade}`,
    ...graded,
  ]);
}

/** A caption of the scene. Colours are never named where black and white has removed them. */
export function caption(scene: Scene, random: Random): Caption {
  return random.chance(0.25) ? shortCaption(scene, random) : longCaption(scene, random);
}

/** The longest of a dozen captions: the one that says most. */
export function longestCaption(scene: Scene): string {
  const random = new Random(sceneSeed(scene), scene.index);
  const texts = Array.from({ length: 12 }, () => caption(scene, random).text);
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest));
}

/** What a scene shows in words, at concept or group level, or without naming it. */
function subject(scene: Scene, random: Random): { text: string; says: Mention[] } {
  const [first, second] = scene.objects.map((object) => object.concept);
  if (scene.arrangement !== null) return subjectOfTwo(first, second, scene.arrangement, random);
  const count = scene.objects.length;
  const level = random.unit();
  const size = scene.size !== null && random.chance(0.3) ? scene.size : null;
  const says: Mention[] = ["count"];
  if (size !== null) says.push("size");
  if (level < 0.1)
    return { text: count === 1 ? "one thing" : `${COUNT_WORDS[count]} things`, says: ["count"] };
  const group = conceptNamed(first).group;
  const [one, phrase] =
    level < 0.27
      ? [groupNamed(group).one.replace(/^an? /, ""), countedGroup(group, count)]
      : [first, countedConcept(first, count)];
  says.push(level < 0.27 ? "group" : "concept");
  if (size !== null) return { text: `${article(size)} ${size} ${one}`, says };
  if (count === 1 && random.chance(0.2)) return { text: `one ${one}`, says };
  return { text: phrase, says };
}

/** Two different objects, in either order, with or without how they are arranged. */
function subjectOfTwo(
  first: string,
  second: string,
  arrangement: string,
  random: Random,
): { text: string; says: Mention[] } {
  const [a, b] = [countedConcept(first, 1), countedConcept(second, 1)];
  const level = random.unit();
  if (level < 0.15) return { text: a, says: ["concept"] };
  if (level < 0.3) return { text: b, says: ["other"] };
  const says: Mention[] = ["concept", "other"];
  if (level < 0.65) return { text: random.pick([`${a} and ${b}`, `${b} and ${a}`]), says };
  const relations =
    arrangement === "beside"
      ? [`${a} left of ${b}`, `${b} right of ${a}`, `${a} to the left of ${b}`, `${b} to the right of ${a}`]
      : [`${a} above ${b}`, `${b} below ${a}`, `${a} over ${b}`, `${b} under ${a}`];
  return { text: random.pick(relations), says: [...says, "arrangement"] };
}

/** A sentence about what is shown, with some of where, on what, drawn how and photographed how. */
function longCaption(scene: Scene, random: Random): Caption {
  const { text: named, says } = subject(scene, random);
  let text = named;
  if (scene.position !== null && random.chance(0.6)) {
    text += ` ${random.pick(POSITION_PHRASES[scene.position])}`;
    says.push("position");
  }
  if (coloursShow(scene) && random.chance(0.45)) {
    const backdrop = random.chance(0.3) ? scene.backdrop : null;
    text += ` ${backgroundPhrase(random, scene.background, backdrop)}`;
    says.push("background");
    if (backdrop !== null) says.push("backdrop");
  }
  const styled = random.chance(0.35);
  const effectTold = random.chance(scene.effect === "none" ? 0.08 : 0.6);
  const effect = random.pick(EFFECT_WORDS[scene.effect]);
  if (styled) says.push("style");
  if (effectTold) says.push("effect");
  const adjectives = [...(effectTold ? [effect] : []), ...(styled ? [scene.style] : [])].join(" ");
  if (adjectives === "") {
    const picture = random.pick(PICTURES);
    const framed = `${article(picture)} ${picture} of `;
    const frame = random.pick(["", "", "", framed, framed, "we see ", "this shows "]);
    return { text: `${frame}${text}`, says };
  }
  const picture = random.pick(PICTURES);
  const frames = [
    `${article(adjectives)} ${adjectives} ${picture} of ${text}`,
    `${text}, ${adjectives} ${picture}`,
  ];
  if (styled && !effectTold)
    frames.push(`${text} in ${scene.style} style`, `${scene.style} style ${picture} of ${text}`);
  if (effectTold && !styled) frames.push(`${text}, ${effect}`);
  return { text: random.pick(frames), says };
}

/** One factor on its own, so that a bare word or phrase has a place in the space too. */
function shortCaption(scene: Scene, random: Random): Caption {
  const named = scene.objects[0].concept;
  const { group } = conceptNamed(named);
  const count = scene.objects.length;
  const choices: Caption[] = [
    { text: named, says: ["concept"] },
    { text: named, says: ["concept"] },
    { text: `${scene.style} style`, says: ["style"] },
    { text: `${article(scene.effect)} ${random.pick(EFFECT_WORDS[scene.effect])} picture`, says: ["effect"] },
  ];
  if (scene.arrangement === null) {
    const things =
      count === 1
        ? ["one thing", "one object", "a single object"]
        : [`${COUNT_WORDS[count]} things`, `${COUNT_WORDS[count]} objects`];
    choices.push({ text: group, says: ["group"] }, { text: random.pick(things), says: ["count"] });
  }
  if (coloursShow(scene)) {
    const word = scene.background;
    choices.push(
      {
        text: random.pick([`${article(word)} ${word} background`, `${word} background`]),
        says: ["background"],
      },
      { text: `${article(scene.backdrop)} ${scene.backdrop} background`, says: ["backdrop"] },
    );
  }
  if (scene.position !== null) {
    const where = random.pick(POSITION_PHRASES[scene.position]);
    choices.push(
      { text: where, says: ["position"] },
      { text: `something ${where}`, says: ["position"] },
      { text: `an object ${where}`, says: ["position"] },
    );
  }
  if (scene.size !== null) choices.push({ text: `a ${scene.size} object`, says: ["size"] });
  return random.pick(choices);
}

/** Whether the background's colour can be seen. */
export function coloursShow(scene: Scene): boolean {
  return scene.effect !== "black and white";
}
