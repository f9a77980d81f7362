/**
 * What a language model is asked. As in "Quantifying and Enabling the Interpretability of CLIP-like Models" (Madasu et
 * al., 2024, §3), a head's label is found by in-context learning: a few labelled examples, then the head's descriptions.
 * Instructions, examples and their labels are ours; the paper prints none.
 */
import { hashOf } from "./llm-cache.ts";
import type { Question } from "./llm-chat.ts";

const NAME_SYSTEM = `You are given short descriptions of images. One part of a vision model reacts to all of them. Name the one property that most of them have in common: the kind of thing that varies between them, not one of its values. Answer with the name alone, one to three words, without punctuation or explanation.`;

const NAME_EXAMPLES: readonly { readonly descriptions: readonly string[]; readonly label: string }[] = [
  {
    descriptions: [
      "A photo taken in Lisbon",
      "A street market in Hanoi",
      "The coast of northern Norway",
      "An afternoon in Nairobi",
      "A village high in the Alps",
    ],
    label: "Locations",
  },
  {
    descriptions: [
      "A mostly turquoise picture",
      "Shades of deep red",
      "An all-white scene",
      "Something bright orange",
      "A paper boat",
    ],
    label: "Colors",
  },
  {
    descriptions: [
      "Three birds on a wire",
      "A pair of boots",
      "A single chair",
      "A crowd of people",
      "Half a dozen eggs",
    ],
    label: "Counting",
  },
  {
    descriptions: [
      "A laughing child",
      "A look of disgust",
      "A quiet and sad mood",
      "A knitted scarf",
      "Two people, furious",
    ],
    label: "Emotion",
  },
  {
    descriptions: [
      "Wool seen from close by",
      "Cracked old paint",
      "Polished marble",
      "A surface of rust",
      "Wet sand with ripples",
    ],
    label: "Textures",
  },
];

const JUDGE_SYSTEM = `You are given the name of a property and numbered descriptions of images. For each description, decide whether it speaks of that property: whether it names a value or an instance of it. Answer with one line for each description: its number and yes or no. Nothing else.`;

const JUDGE_EXAMPLES: readonly {
  readonly label: string;
  readonly descriptions: readonly string[];
  readonly fits: readonly boolean[];
}[] = [
  {
    label: "Weather",
    descriptions: [
      "Heavy rain on a window",
      "A brass trumpet",
      "Fog over a river",
      "A man in a hat",
      "Wind in the trees",
    ],
    fits: [true, false, true, false, true],
  },
  {
    label: "Animals",
    descriptions: ["A heron", "A sleeping cat", "The letter Q", "A herd of goats", "A beetle on a leaf"],
    fits: [true, true, false, true, true],
  },
];

const numbered = (texts: readonly string[]) =>
  texts.map((text, i) => `${i + 1}. ${oneLine(text)}`).join("\n");
const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

const nameTurn = (descriptions: readonly string[]) => numbered(descriptions);
const judgeTurn = (label: string, descriptions: readonly string[]) =>
  `Property: ${oneLine(label)}\n${numbered(descriptions)}`;

/** The verdicts as a judge is to write them. */
export const writeVerdicts = (fits: readonly boolean[]): string =>
  fits.map((fit, i) => `${i + 1} ${fit ? "yes" : "no"}`).join("\n");

const turn = (role: "user" | "assistant", content: string) => ({ role, content });

/** Asks for the name of what descriptions share. */
export const nameQuestion = (descriptions: readonly string[]): Question => ({
  system: NAME_SYSTEM,
  turns: [
    ...NAME_EXAMPLES.flatMap((example) => [
      turn("user", nameTurn(example.descriptions)),
      turn("assistant", example.label),
    ]),
    turn("user", nameTurn(descriptions)),
  ],
});

/** Asks which descriptions fit a label. */
export const judgeQuestion = (label: string, descriptions: readonly string[]): Question => ({
  system: JUDGE_SYSTEM,
  turns: [
    ...JUDGE_EXAMPLES.flatMap((example) => [
      turn("user", judgeTurn(example.label, example.descriptions)),
      turn("assistant", writeVerdicts(example.fits)),
    ]),
    turn("user", judgeTurn(label, descriptions)),
  ],
});

/** SHA-256 of instructions and examples: what a label says of how it was asked for. */
export const NAME_PROMPT_HASH = hashOf(nameQuestion([]));
export const JUDGE_PROMPT_HASH = hashOf(judgeQuestion("", []));
