/** Reads what a language model answered. What is not in the form asked for is an error, never a guess. */
import { ClipInterpretError } from "../support/errors.ts";

const LONGEST = { words: 5, characters: 60 };

const invalid = (why: string, answer: string) =>
  new ClipInterpretError("LLM_ANSWER_INVALID", `${why}: "${shown(answer)}"`);
const shown = (answer: string) => {
  const line = answer.replace(/\s+/g, " ").trim();
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
};

/** An answer without the thoughts that some models write before it. */
const withoutThoughts = (answer: string) =>
  answer
    .replace(/^\s*<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>/i, "")
    .replaceAll("’", "'")
    .trim();

const REFUSAL = /^(i'm sorry|i am sorry|sorry,|i cannot|i can't|i'm unable|i am unable|as an ai)/i;

function refuseRefusal(answer: string): void {
  if (REFUSAL.test(answer)) {
    throw new ClipInterpretError("LLM_REFUSED", `the model declines: "${shown(answer)}"`);
  }
}

/**
 * A label: a few words on one line. Quotation marks, emphasis, a leading `Label:` and a full stop are taken off.
 * @throws `LLM_REFUSED`, `LLM_ANSWER_INVALID`
 */
export function parseLabel(answer: string): string {
  const text = withoutThoughts(answer);
  refuseRefusal(text);
  const label = text
    .replace(/^(label|answer|property|name)\s*:/i, "")
    .replace(/^[\s"'“”`*_]+|[\s"'“”`*_.]+$/g, "")
    .trim();
  if (!/\p{L}/u.test(label)) throw invalid("an answer without a label", answer);
  const words = label.split(/\s+/).length;
  if (/[\r\n]/.test(label) || words > LONGEST.words || label.length > LONGEST.characters) {
    throw invalid(`a label must be one line of at most ${LONGEST.words} words, not`, answer);
  }
  return label.replace(/\s+/g, " ");
}

/**
 * Reads verdicts on `count` descriptions: a line each with its number and yes or no, in any order.
 * @throws `LLM_REFUSED`, `LLM_ANSWER_INVALID` if one is missing, there twice, or anything else is said
 */
export function parseVerdicts(answer: string, count: number): boolean[] {
  const text = withoutThoughts(answer);
  refuseRefusal(text);
  const verdicts = new Map<number, boolean>();
  for (const line of text.split(/[\r\n]+/).map((part) => part.trim())) {
    if (line === "") continue;
    const [, number, verdict] = /^(\d+)\s*[.):-]*\s*\**(yes|no)\**\.?$/i.exec(line) ?? [];
    const index = Number(number) - 1;
    if (verdict === undefined || index < 0 || index >= count || verdicts.has(index)) {
      throw invalid(`verdicts must be the lines "1 yes" to "${count} no", not`, answer);
    }
    verdicts.set(index, verdict.toLowerCase() === "yes");
  }
  if (verdicts.size !== count) throw invalid(`${verdicts.size} verdicts for ${count} descriptions`, answer);
  return Array.from({ length: count }, (_, index) => verdicts.get(index) === true);
}
