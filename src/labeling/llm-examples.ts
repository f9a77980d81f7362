/** Worked examples for language models: ours, and a user's own. */
import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import { reasonOf } from "../support/reason.ts";

const MOST = { examples: 50, descriptions: 20, characters: 500 };
const text = z.string().regex(/\S/, "must not be blank").max(MOST.characters);

const exampleSchema = z
  .strictObject({
    descriptions: z.array(text).min(1).max(MOST.descriptions),
    label: text.nullable(),
    fits: z.array(z.boolean()).optional(),
  })
  .refine(({ descriptions, fits }) => fits === undefined || fits.length === descriptions.length, {
    message: "fits must have one entry a description",
  });
const fileSchema = z.array(exampleSchema).min(1).max(MOST.examples);

/** Descriptions with the label that a person gave them; null where they share nothing. `fits` says which fit it. */
export interface Example {
  readonly descriptions: readonly string[];
  readonly label: string | null;
  readonly fits?: readonly boolean[] | undefined;
}

/**
 * Reads examples: a list of `{"descriptions": […], "label": "Locations", "fits": [true, …]}`; `fits` may be left out, and
 * `label` be null.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { createPrompts, readExamples } from "clip-interpret/labeling";
 *
 * await writeFile("examples.json", JSON.stringify([{ descriptions: ["a street in Lisbon", "Hanoi"], label: "Locations" }]));
 * const { name } = createPrompts({ examples: await readExamples("examples.json") });
 * console.log(name(["a red ball"]).turns.map(({ content }) => content).slice(1)); // → [ 'Locations', '1. a red ball' ]
 * ```
 */
export async function readExamples(path: string): Promise<Example[]> {
  const { data, error } = fileSchema.safeParse(await readJson(path));
  if (!error) return data;
  const form = `a list of {"descriptions": […], "label": …, "fits": […]}, at most ${MOST.examples}`;
  throw new ClipInterpretError("JSON_INVALID", `${path} is not ${form}: ${reasonOf(error)}`);
}

/** Ours: those without verdicts show how to name, those with them how to judge. */
export const EXAMPLES: readonly Example[] = [
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
