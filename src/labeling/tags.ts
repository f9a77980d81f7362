/**
 * Labels and verdicts from the tags of the pool: each of its texts speaks of one property, and says which. No network,
 * no model, the same every time.
 */
import { ClipInterpretError } from "../support/errors.ts";
import { foldLabel } from "./fold.ts";
import { type Described, type Judge, type Labeller, today } from "./labeller.ts";

/** A description as far as tags go. */
export interface Tagged {
  readonly property: string | null;
  readonly explainedVariance?: number;
}

/**
 * The commonest property of some descriptions. Among equally common ones that whose descriptions explain more variance,
 * then the first by name. A description without a property has no vote.
 * @throws `TAGS_MISSING` if none has a property
 */
export function commonestTag(descriptions: readonly Tagged[]): string {
  const votes = new Map<string, { count: number; variance: number }>();
  for (const { property, explainedVariance = 0 } of descriptions) {
    if (property === null) continue;
    const { count, variance } = votes.get(property) ?? { count: 0, variance: 0 };
    votes.set(property, { count: count + 1, variance: variance + explainedVariance });
  }
  const ranked = [...votes].sort(
    ([a, x], [b, y]) => y.count - x.count || y.variance - x.variance || (a < b ? -1 : 1),
  );
  if (ranked.length === 0) throw new ClipInterpretError("TAGS_MISSING", "no description has a property");
  return ranked[0][0];
}

/** Whether each description's property is the label, but for case, plural, spaces and hyphens. */
export function fitsByTag(label: string, descriptions: readonly Tagged[]): boolean[] {
  const wanted = foldLabel(label);
  return descriptions.map(({ property }) => property !== null && foldLabel(property) === wanted);
}

/**
 * A labeller by `commonestTag`. @param date what the labels carry; default: the moment they are made
 *
 * @example
 * ```ts
 * import { tagLabeller } from "clip-interpret/labeling";
 *
 * const head = {
 *   ...{ layer: 1, head: 0, name: "L1.H0" },
 *   descriptions: [
 *     { text: "a red background", property: "background", explainedVariance: 0.4 },
 *     { text: "a blue background", property: "background", explainedVariance: 0.2 },
 *     { text: "a tiger", property: "object", explainedVariance: 0.1 },
 *   ],
 * };
 * const named = await tagLabeller()(head, {});
 * console.log(named?.label); // → background
 * ```
 */
export const tagLabeller =
  (date?: string): Labeller =>
  async (head) => {
    if (head.descriptions.length === 0) return undefined;
    requireTags(head);
    const by = "the commonest tag of the descriptions (of several, the one that explains more variance)";
    const labeller = { kind: "tags", by, model: null, promptHash: null, date: date ?? today() } as const;
    return { label: commonestTag(head.descriptions), labeller };
  };

/**
 * A judge by `fitsByTag`. @param date what the verdicts carry; default: the moment they are made
 *
 * @example
 * ```ts
 * import { tagJudge } from "clip-interpret/labeling";
 *
 * const head = {
 *   ...{ layer: 1, head: 0, name: "L1.H0" },
 *   descriptions: [
 *     { text: "a red background", property: "background", explainedVariance: 0.4 },
 *     { text: "a blue background", property: "background", explainedVariance: 0.2 },
 *     { text: "a tiger", property: "object", explainedVariance: 0.1 },
 *   ],
 * };
 * const { consistent } = await tagJudge()("background", head, {});
 * console.log(consistent); // → [ true, true, false ]
 * ```
 */
export const tagJudge =
  (date?: string): Judge =>
  async (label, head) => {
    requireTags(head);
    const by = "comparing each description's tag with the label";
    return {
      consistent: fitsByTag(label, head.descriptions),
      judge: { kind: "tags", by, promptHash: null, date: date ?? today(), votes: [] },
    };
  };

/** True if a pool said of any description what it speaks of. */
export const hasTags = ({ descriptions }: Described): boolean =>
  descriptions.some(({ property }) => property !== null);

function requireTags(head: Described): void {
  if (head.descriptions.length === 0 || hasTags(head)) return;
  throw new ClipInterpretError("TAGS_MISSING", `no description of ${head.name} has a property`);
}
