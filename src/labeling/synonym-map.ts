/** Which known name a label stands for: labellers say "Locations" of what a pool calls "place". */
import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import { reasonOf } from "../support/reason.ts";
import { foldLabel } from "./fold.ts";
import { normalizeLabel } from "./normalize-label.ts";

const MOST = { names: 1000, words: 1000 };
const word = z.string().regex(/\S/, "must not be blank").max(200);
const mapSchema = z
  .record(word, z.array(word).max(MOST.words))
  .refine((map) => Object.keys(map).length <= MOST.names, { message: `at most ${MOST.names} names` });

/** Name → other words for it. */
export type SynonymMap = Readonly<Record<string, readonly string[]>>;

/**
 * Reads `{"place": ["Locations", "geography"], "colour": ["hue"]}`.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`, also for a word that stands for two names
 */
export async function readSynonyms(path: string): Promise<SynonymMap> {
  const { data, error } = mapSchema.safeParse(await readJson(path));
  if (error) {
    const why = `${path} is not {"name": ["other words", …]}: ${reasonOf(error)}`;
    throw new ClipInterpretError("JSON_INVALID", why);
  }
  const named = new Map<string, string>();
  for (const [name, words] of Object.entries(data)) {
    for (const one of [name, ...words]) {
      const before = named.get(foldLabel(one));
      if (before !== undefined && before !== name)
        throw new ClipInterpretError(
          "JSON_INVALID",
          `${path}: "${one}" stands for ${before} and for ${name}`,
        );
      named.set(foldLabel(one), name);
    }
  }
  return data;
}

/**
 * The known name that a label stands for: by the map, else by itself, its case, plural and spelling apart, else by the
 * words that count as one everywhere (`SYNONYMS` in `src/results/metrics.ts`).
 */
export function matchLabel(
  label: string,
  names: readonly string[],
  synonyms: SynonymMap = {},
): string | undefined {
  const folded = foldLabel(label);
  const mapped = Object.entries(synonyms).find(([, words]) => words.some((one) => foldLabel(one) === folded));
  const wanted = mapped ? [mapped[0], label] : [label];
  for (const same of [foldLabel, (text: string) => normalizeLabel(text)]) {
    for (const one of wanted) {
      const found = names.find((name) => same(name) === same(one));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
