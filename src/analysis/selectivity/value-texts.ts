/** The texts that say the values of a factor, from a user's file or by default. */

import { z } from "zod";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput } from "../../support/files.ts";
import { parseJson } from "../../support/json.ts";
import { reasonOf } from "../../support/reason.ts";
import { factorPrompts } from "../../world/prompts.ts";
import { DEFAULT_TEMPLATES, fillTemplate } from "../zero-shot/classes.ts";

/** Texts by value by factor: what says that an image has it. */
export type ValueTexts = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

const text = z.string().regex(/\S/, "must not be blank");
const fileSchema = z.record(
  z.string(),
  z.record(z.string(), z.union([text.transform((one) => [one]), z.array(text).min(1)])),
);

/**
 * Reads texts from JSON: `{"colour": {"red": "a red car", "blue": ["a blue car", "a car that is blue"]}}`.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 */
export async function readValueTexts(path: string): Promise<ValueTexts> {
  const parsed = fileSchema.safeParse(parseJson(await readInput(path), path));
  if (parsed.success) return parsed.data;
  throw new ClipInterpretError("JSON_INVALID", `${path}: ${reasonOf(parsed.error)}`);
}

/** Factors of the generated world that are said as another one is. */
const SAID_AS: Readonly<Record<string, string>> = { label: "concept", other: "concept" };

/**
 * What says each value of a factor: given texts first. The values of the generated world have the texts that its models are
 * measured with; a label is put into CLIP's own template; of any other factor the value is the text.
 */
export function textsOfValues(
  factor: string,
  values: readonly string[],
  given: Readonly<Record<string, readonly string[]>> = {},
): { value: string; texts: readonly string[] }[] {
  const world = new Map(
    (factorPrompts()[SAID_AS[factor] ?? factor] ?? []).map(({ value, texts }) => [String(value), texts]),
  );
  const isWorld = values.every((value) => world.has(value));
  const templates = factor === "label" ? DEFAULT_TEMPLATES : ["{}"];
  const usual = (value: string) =>
    (isWorld ? world.get(value) : undefined) ?? templates.map((template) => fillTemplate(template, value));
  return values.map((value) => ({
    value,
    texts: (Object.hasOwn(given, value) ? given[value] : undefined) ?? usual(value),
  }));
}
