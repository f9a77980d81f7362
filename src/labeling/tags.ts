/**
 * Labels and verdicts from the tags of the pool: each of its texts speaks of one property, and says which. No network,
 * no model, the same every time.
 */
import { ClipInterpretError } from "../support/errors.ts";
import { foldLabel } from "./fold.ts";
import { type Described, type Judge, type Labeller, today } from "./labeller.ts";

const RULE = "the commonest tag of the descriptions";

/**
 * A labeller that takes the commonest property of a head's descriptions. Among equally common ones the one whose
 * descriptions explain more variance, then the first by name. A description without a property has no vote.
 * @param date what the labels carry; default: the moment they are made
 */
export const tagLabeller =
  (date?: string): Labeller =>
  async (head) => {
    if (head.descriptions.length === 0) return undefined;
    requireTags(head);
    const label = commonestTag(head);
    return {
      label,
      labeller: { kind: "tags", by: RULE, model: null, promptHash: null, date: date ?? today() },
    };
  };

/** The tag that most descriptions bear; ties as {@link tagLabeller} says. */
function commonestTag({ descriptions }: Described): string {
  const votes = new Map<string, { count: number; variance: number }>();
  for (const { property, explainedVariance } of descriptions) {
    if (property === null) continue;
    const { count, variance } = votes.get(property) ?? { count: 0, variance: 0 };
    votes.set(property, { count: count + 1, variance: variance + explainedVariance });
  }
  const [[label]] = [...votes].sort(
    ([a, x], [b, y]) => y.count - x.count || y.variance - x.variance || (a < b ? -1 : 1),
  );
  return label;
}

/** A judge to whom a description fits if its tag is the label, but for case, plural and spaces. */
export const tagJudge =
  (date?: string): Judge =>
  async (label, head) => {
    requireTags(head);
    const wanted = foldLabel(label);
    return {
      consistent: head.descriptions.map(
        ({ property }) => property !== null && foldLabel(property) === wanted,
      ),
      judge: {
        kind: "tags",
        by: "the description's tag equals the label",
        promptHash: null,
        date: date ?? today(),
        votes: [],
      },
    };
  };

/** True if a pool said of any description what it speaks of. */
export const hasTags = ({ descriptions }: Described): boolean =>
  descriptions.some(({ property }) => property !== null);

function requireTags(head: Described): void {
  if (head.descriptions.length === 0 || hasTags(head)) return;
  throw new ClipInterpretError("TAGS_MISSING", `no description of ${head.head} has a property`);
}
