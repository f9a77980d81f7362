/**
 * An exam for judges. Texts of a pool say what they speak of, so whether one fits the name of a property is known: some
 * that do are put among distractors that speak of something else, and the judges are asked as they are about labels.
 * What they say gives their sensitivity and specificity, and consistency corrected for both.
 */
import { Random } from "../math/random.ts";
import { wilson } from "../math/wilson.ts";
import type { Exam, Examined } from "../results/judging.ts";
import { headOf } from "../results/shapes.ts";
import { atOnce } from "../support/at-once.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled } from "../support/progress.ts";
import type { PoolText } from "../text/pool.ts";
import { shuffled } from "./baselines.ts";
import { foldLabel } from "./fold.ts";
import type { AskOptions, Described, Judge } from "./labeller.ts";
import { isOfOneAnswer } from "./llm-errors.ts";
import { normalizeLabel } from "./normalize-label.ts";
import { type Counted, roganGladen } from "./rogan-gladen.ts";

/** A property's name, texts, and whether each speaks of it. */
export interface ExamQuestion {
  readonly label: string;
  readonly head: Described;
  readonly fits: readonly boolean[];
}

/** As many texts as a head is judged by. */
const TEXTS = 5;

/** Two names of one property, so that neither's texts are distractors for the other. */
const sameProperty = (a: string, b: string) =>
  foldLabel(a) === foldLabel(b) || normalizeLabel(a) === normalizeLabel(b);

/**
 * Draws questions: the properties take turns, and each of five texts speaks of the property as likely as not.
 * @param texts of which some say what they speak of
 * @throws `TAGS_MISSING` where there are not two properties
 */
export function drawExam(texts: readonly PoolText[], questions: number, seed = 0): ExamQuestion[] {
  const tagged = texts.filter((text): text is PoolText & { property: string } => text.property !== null);
  const properties = [...new Set(tagged.map(({ property }) => property))].sort();
  const distractors = new Map(
    properties.map((label) => [label, tagged.filter(({ property }) => !sameProperty(label, property))]),
  );
  const asked = properties.filter((label) => distractors.get(label)!.length > 0);
  if (asked.length === 0) {
    const why = "distractors need texts of two properties at least, and a pool that says which they are";
    throw new ClipInterpretError("TAGS_MISSING", why);
  }
  const order = shuffled(asked, new Random(seed));
  return Array.from({ length: questions }, (_, q) => {
    const random = new Random(seed + 1, q);
    const label = order[q % order.length];
    const [own, other] = [
      shuffled(
        tagged.filter(({ property }) => property === label),
        random,
      ),
      shuffled(distractors.get(label)!, random),
    ];
    const drawn = Array.from({ length: TEXTS }, () => {
      const fits = random.chance(0.5);
      const text = fits ? own.pop() : other.pop();
      return text && { text: text.text, fits };
    }).filter((one) => one !== undefined);
    return {
      label,
      head: {
        ...headOf(0, q),
        descriptions: drawn.map(({ text }) => ({ text, property: null, explainedVariance: 0 })),
      },
      fits: drawn.map(({ fits }) => fits),
    };
  });
}

/** Verdicts that are yes, of those on labels. */
export interface ExamOptions extends AskOptions {
  readonly verdicts: Counted;
  /** Questions at a time. Default: 1. */
  readonly concurrency?: number;
}

/**
 * Asks the judges. A question without an answer that can be read is left out and said to be.
 * @throws what the judge throws but `LLM_REFUSED` and `LLM_ANSWER_INVALID`; `CANCELLED`
 */
export async function examine(
  questions: readonly ExamQuestion[],
  judge: Judge,
  { verdicts, concurrency = 1, ...options }: ExamOptions,
): Promise<Exam> {
  const failed: Exam["failed"] = [];
  const answered = await atOnce(concurrency, questions, async ({ label, head, fits }) => {
    checkCancelled(options.signal);
    try {
      const { consistent, judge: record } = await judge(label, head, options);
      return [{ fits, votes: [{ by: record.by, consistent }, ...record.votes] }];
    } catch (error) {
      if (!isOfOneAnswer(error)) throw error;
      failed.push({ code: error.code, message: `"${label}": ${error.message}` });
      return [];
    }
  });
  const given = answered.flat();
  const [majority, ...several] = (given[0]?.votes ?? [{ by: "" }]).map(({ by }, j): Examined => {
    const said = given.flatMap(({ fits, votes }) =>
      fits.map((fit, i) => ({ fit, yes: votes[j].consistent[i] })),
    );
    return { by, sensitivity: rate(said, true), specificity: rate(said, false) };
  });
  return {
    ...{ questions: questions.length, failed, majority },
    judges: several.length > 0 ? several : given.length > 0 ? [majority] : [],
    corrected: roganGladen(verdicts, majority.sensitivity, majority.specificity),
  };
}

/** How often those that fit got a yes, or those that do not a no. */
function rate(said: readonly { fit: boolean; yes: boolean }[], fitting: boolean): Examined["sensitivity"] {
  const about = said.filter(({ fit }) => fit === fitting);
  const hits = about.filter(({ yes }) => yes === fitting).length;
  const { share, low, high } = wilson(hits, about.length);
  return { hits, of: about.length, share: about.length === 0 ? null : share, low, high };
}
