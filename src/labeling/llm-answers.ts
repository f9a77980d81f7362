/** Reads what a language model answered. What is not in the form asked for is an error, never a guess. */
import { ClipInterpretError } from "../support/errors.ts";

/** A label is asked for in one to three words; a name such as "word starting with z" has four. */
const LONGEST = { words: 4, characters: 60 };
/** Of an answer that is read at all, with thoughts and without; and of a line with a verdict. */
const MOST = { characters: 1_000_000, said: 20_000, line: 2000 };

const invalid = (why: string, answer: string) =>
  new ClipInterpretError("LLM_ANSWER_INVALID", `${why}: "${shown(answer)}"`);
const shown = (answer: string) => {
  const line = answer.replace(/\s+/g, " ").trim();
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
};

const THOUGHT = "(?:think|thinking|thought|thoughts|reasoning|reflection)";
const ENDS_THINKING = new RegExp(`</${THOUGHT}>`, "gi");
const BEGINS_THINKING = new RegExp(`<${THOUGHT}>`, "i");

/**
 * An answer without the thoughts that some models write before it. What begins them may be a part of the prompt, so all
 * up to their end goes; thoughts without an end are no answer.
 */
export function withoutThoughts(answer: string): string {
  const ends = [...answer.matchAll(ENDS_THINKING)];
  const last = ends.at(-1);
  const rest = last ? answer.slice(last.index + last[0].length) : answer;
  const open = BEGINS_THINKING.exec(rest);
  return (open ? rest.slice(0, open.index) : rest).replaceAll("’", "'").trim();
}

/** What an answer says: without thoughts, and of a fenced block what is in it. */
function saidIn(answer: string): string {
  const tooLong = (length: number) => invalid(`an answer of ${length} characters`, answer);
  if (answer.length > MOST.characters) throw tooLong(answer.length);
  const text = withoutThoughts(answer);
  if (text.length > MOST.said) throw tooLong(text.length);
  const fenced = [...text.matchAll(/^```[^\n`]*\n([\s\S]*?)^```[ \t]*$/gm)];
  return fenced.length === 1 ? fenced[0][1].trim() : text;
}

const REFUSAL = /^(i'm sorry|i am sorry|sorry,|i cannot|i can't|i'm unable|i am unable|as an ai)/i;

function refuseRefusal(answer: string): void {
  if (REFUSAL.test(answer)) {
    throw new ClipInterpretError("LLM_REFUSED", `the model declines: "${shown(answer)}"`);
  }
}

/** An answer that is a JSON object, as such. */
function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Says that there is no label. */
const NOTHING =
  /^(none( of (them|these|the above))?|nothing|no|n\/?a|null|unknown|unclear|undefined|not (sure|clear|applicable)|(i am |i'm )?unsure|(i )?(don't|do not|can't|cannot) (know|tell|say)|(there is |they have )?(no|nothing in) common( (property|theme|label|denominator))?|no (clear |single |obvious |shared )*(property|theme|label|pattern|answer|idea))$/i;
/** Begins a sentence about the descriptions instead of a name for what they share. */
const SENTENCE =
  /^(i|it|they|these|this|those|there|here|most|the (common|shared|property|descriptions?|images?)|descriptions?)(\s|'s\b)/i;

/**
 * A label: a few words on one line, or JSON that holds one. Quotation marks, emphasis, a leading `Label:` and a full stop
 * are taken off.
 * @returns null where the model says that there is none, or that it does not know
 * @throws `LLM_REFUSED`, `LLM_ANSWER_INVALID`
 */
export function parseLabel(answer: string): string | null {
  const text = saidIn(answer);
  refuseRefusal(text);
  const json = objectIn(text);
  if (json?.label === null) return null;
  if (json && typeof json.label !== "string") throw invalid("an answer without a label", answer);
  const label = (typeof json?.label === "string" ? json.label : text)
    .replace(/^[\s*_`]*(label|answer|property|name)[*_`]*\s*:/i, "")
    .replace(/^[\s"'“”`*_]+|[\s"'“”`*_.]+$/g, "")
    .trim();
  if (NOTHING.test(label)) return null;
  if (!/\p{L}/u.test(label)) throw invalid("an answer without a label", answer);
  const words = label.split(/\s+/).length;
  if (/[\r\n]/.test(label) || words > LONGEST.words || label.length > LONGEST.characters) {
    throw invalid(`a label must be one line of at most ${LONGEST.words} words, not`, answer);
  }
  if (words > 1 && SENTENCE.test(label)) throw invalid("a label must be a name, not a sentence", answer);
  return label.replace(/\s+/g, " ");
}

const YES = new Set(["yes", "true", "1"]);
const NO = new Set(["no", "false", "0"]);
const verdictOf = (word: unknown): boolean | undefined => {
  const plain = String(word).toLowerCase();
  return YES.has(plain) ? true : NO.has(plain) ? false : undefined;
};

/** Nothing, or a reason that is set off from the verdict before it. */
const REASON = String.raw`(?:$|[.,;:]+(?:\s.*)?$|\s?[–—(].*$|\s-.*$)`;
const MARKS = `["'*_]*`;
const NUMBERED = new RegExp(
  String.raw`^(?:[-*•] )?[*_(#]*(\d+) ?[.):\]*_]* ?[:–—-]? ?${MARKS}(yes|no|true|false|1|0)${MARKS}${REASON}`,
  "i",
);
/** A number alone would be taken for the number of a line if more came after it. */
const ALONE = new RegExp(`^(?:[-*•] )?${MARKS}(?:(yes|no|true|false)${MARKS}${REASON}|([01])$)`, "i");

/**
 * Reads verdicts on `count` descriptions: a line each with its number and yes or no (or 1 or 0) in any order, after which
 * a reason may stand; or as many verdicts alone, in order; or JSON that has them.
 * @throws `LLM_REFUSED`, `LLM_ANSWER_INVALID` if one is missing, there twice, or anything else is said
 */
export function parseVerdicts(answer: string, count: number): boolean[] {
  const text = saidIn(answer);
  refuseRefusal(text);
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\s+/g, " ").trim().slice(0, MOST.line))
    .filter((line) => line !== "");
  const found = jsonVerdicts(text, count) ?? numberedVerdicts(lines, count) ?? verdictsAlone(lines, count);
  if (found) return found;
  const form = count === 1 ? "yes or no" : `the lines "1 yes" to "${count} no"`;
  throw invalid(`the verdicts must be ${form}, each once, not`, answer);
}

/** `{"1": true, "2": false}`. */
function jsonVerdicts(text: string, count: number): boolean[] | undefined {
  const json = objectIn(text);
  if (!json || Object.keys(json).length !== count) return undefined;
  const verdicts = Array.from({ length: count }, (_, i) => verdictOf(json[i + 1]));
  return verdicts.every((verdict) => verdict !== undefined) ? verdicts : undefined;
}

/** `yes`, or as many lines like it as there are descriptions. */
function verdictsAlone(lines: readonly string[], count: number): boolean[] | undefined {
  if (lines.length !== count) return undefined;
  const verdicts = lines.map((line) => {
    const [, word, digit] = ALONE.exec(line) ?? [];
    return verdictOf(word ?? digit);
  });
  return verdicts.every((verdict) => verdict !== undefined) ? verdicts : undefined;
}

/** `2. No – it is a colour`. */
function numberedVerdicts(lines: readonly string[], count: number): boolean[] | undefined {
  const verdicts = new Map<number, boolean>();
  for (const line of lines) {
    const [, number, word] = NUMBERED.exec(line) ?? [];
    const [index, verdict] = [Number(number) - 1, verdictOf(word)];
    if (verdict === undefined || index < 0 || index >= count || verdicts.has(index)) return undefined;
    verdicts.set(index, verdict);
  }
  if (verdicts.size !== count) return undefined;
  return Array.from({ length: count }, (_, index) => verdicts.get(index) === true);
}
