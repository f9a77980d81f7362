/**
 * What a language model is asked, in three ways. In "Quantifying and Enabling the Interpretability of CLIP-like Models"
 * (Madasu et al., 2024, §3) a head's label is found by in-context learning: a few heads that were labelled by hand, then the
 * head's descriptions. The Concept Consistency Score paper (Madasu et al., 2025) names heads in the same way and asks
 * judges of each description by itself whether it fits. Neither prints its prompt or its examples: the structure is theirs,
 * instructions, examples and their labels are ours.
 */
import { hashOf } from "./llm-cache.ts";
import type { AnswerFormat, Question } from "./llm-chat.ts";
import { EXAMPLES, type Example } from "./llm-examples.ts";

/** Whose way of asking. */
export const PROMPT_STYLES = ["ours", "madasu2024", "ccs2025"] as const;
export type PromptStyle = (typeof PROMPT_STYLES)[number];

/** What all styles are made of. */
interface Wording {
  /** Instructions for naming; empty: the examples speak for themselves. */
  readonly naming: string;
  readonly nameTurn: (descriptions: readonly string[]) => string;
  readonly judging: string;
  readonly judgeTurn: (label: string, descriptions: readonly string[]) => string;
  /** The verdicts as a judge is to write them. */
  readonly verdicts: (fits: readonly boolean[]) => string;
  /** A judge sees one description at a time. */
  readonly oneByOne: boolean;
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();
const numbered = (texts: readonly string[]) =>
  texts.map((text, i) => `${i + 1}. ${oneLine(text)}`).join("\n");

/** A line each: `1 yes`. */
export const writeVerdicts = (fits: readonly boolean[]): string =>
  fits.map((fit, i) => `${i + 1} ${fit ? "yes" : "no"}`).join("\n");

/** What a model says where descriptions share nothing. */
const NONE = "none";

const OURS: Wording = {
  naming: `You are given short descriptions of images. One part of a vision model reacts to all of them. Name the one property that most of them have in common: the kind of thing that varies between them, not one of its values. Answer with the name alone, one to three words, without punctuation or explanation. If most of them have no property in common, answer: ${NONE}`,
  nameTurn: numbered,
  judging:
    "You are given the name of a property and numbered descriptions of images. For each description, decide whether it speaks of that property: whether it names a value or an instance of it. Answer with one line for each description: its number and yes or no. Nothing else.",
  judgeTurn: (label, descriptions) => `Property: ${oneLine(label)}\n${numbered(descriptions)}`,
  verdicts: writeVerdicts,
  oneByOne: false,
};

const CCS: Wording = {
  naming: "",
  nameTurn: (descriptions) => `Descriptions:\n${numbered(descriptions)}\nProperty:`,
  judging:
    "You judge whether a text description of an attention head is aligned with the concept that the head was labelled with. Answer 1 if it is, and 0 if it is not.",
  judgeTurn: (label, descriptions) =>
    `Concept: ${oneLine(label)}\n${descriptions.map((text) => `Description: ${oneLine(text)}`).join("\n")}`,
  verdicts: (fits) => fits.map((fit) => (fit ? "1" : "0")).join("\n"),
  oneByOne: true,
};

/** What is stored of the first paper describes no judge by language model: it judges as we do. */
const WORDINGS: Readonly<Record<PromptStyle, Wording>> = {
  ours: OURS,
  madasu2024: {
    ...CCS,
    judging: OURS.judging,
    judgeTurn: OURS.judgeTurn,
    verdicts: OURS.verdicts,
    oneByOne: false,
  },
  ccs2025: CCS,
};

/** How questions are put. */
export interface PromptOptions {
  /** Default: ours. */
  readonly style?: PromptStyle;
  /** Instead of ours. Those that say which descriptions fit are for judges, too. */
  readonly examples?: readonly Example[];
  /** A judge sees one description at a time. Default: as the style has it. */
  readonly oneByOne?: boolean;
}

/** The questions, and what a label says of how it was asked for. */
export interface Prompts {
  readonly oneByOne: boolean;
  /** Asks for the name of what descriptions share. */
  readonly name: (descriptions: readonly string[]) => Question;
  /** Asks which descriptions fit a label. */
  readonly judge: (label: string, descriptions: readonly string[]) => Question;
  /** SHA-256 of instructions and examples. */
  readonly nameHash: string;
  readonly judgeHash: string;
}

const turn = (role: "user" | "assistant", content: string) => ({ role, content });

/**
 * The questions in one style, with these examples.
 * @example
 * ```ts
 * import { createPrompts } from "clip-interpret/labeling";
 *
 * const { oneByOne, judge } = createPrompts({ style: "ccs2025" });
 * console.log(oneByOne, judge("Colors", ["a red ball"]).turns.at(-1)?.content.split("\n"));
 * // → true [ 'Concept: Colors', 'Description: a red ball' ]
 * ```
 */
export function createPrompts({ style = "ours", examples, oneByOne }: PromptOptions = {}): Prompts {
  const wording = WORDINGS[style];
  const alone = oneByOne ?? wording.oneByOne;
  const own = examples ?? [];
  const toName = own.length > 0 ? own : EXAMPLES.filter(({ fits }) => fits === undefined);
  const judged = own.filter(({ label, fits }) => label !== null && fits !== undefined);
  const toJudge = judged.length > 0 ? judged : EXAMPLES.filter(({ fits }) => fits !== undefined);
  const name = (descriptions: readonly string[]): Question => ({
    system: wording.naming,
    turns: [
      ...toName.flatMap((example) => [
        turn("user", wording.nameTurn(example.descriptions)),
        turn("assistant", example.label ?? NONE),
      ]),
      turn("user", wording.nameTurn(descriptions)),
    ],
    format: LABEL,
  });
  const judge = (label: string, descriptions: readonly string[]): Question => ({
    system: wording.judging,
    turns: [
      ...toJudge.flatMap((example) =>
        split(example, alone).flatMap(({ texts, fits }) => [
          turn("user", wording.judgeTurn(example.label ?? NONE, texts)),
          turn("assistant", wording.verdicts(fits)),
        ]),
      ),
      turn("user", wording.judgeTurn(label, descriptions)),
    ],
    format: verdictsFormat(descriptions.length),
  });
  return {
    oneByOne: alone,
    name,
    judge,
    nameHash: hashOf(name([])),
    judgeHash: hashOf([alone, judge("", [])]),
  };
}

/** An example's descriptions with their verdicts, together or one by one. */
function split({ descriptions, fits = [] }: Example, alone: boolean) {
  if (!alone) return [{ texts: descriptions, fits }];
  return descriptions.map((text, i) => ({ texts: [text], fits: [fits[i]] }));
}

/** `{"label": "Locations"}`. */
const LABEL: AnswerFormat = {
  name: "label",
  schema: {
    ...{ type: "object", additionalProperties: false, required: ["label"] },
    properties: { label: { type: "string", description: `one to three words, or ${NONE}` } },
  },
};

/** `{"1": true, "2": false}`: as many as there are descriptions. */
function verdictsFormat(count: number): AnswerFormat {
  const numbers = Array.from({ length: count }, (_, i) => String(i + 1));
  return {
    name: "verdicts",
    schema: {
      ...{ type: "object", additionalProperties: false, required: numbers },
      properties: Object.fromEntries(numbers.map((number) => [number, { type: "boolean" }])),
    },
  };
}
