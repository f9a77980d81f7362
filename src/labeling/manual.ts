/** Labels by hand: a file of them goes before any labeller. */

import type { Labels } from "../labels/labels-file.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import type { Labeller } from "./labeller.ts";

/**
 * Checks that a file labels no other heads than there are.
 * @throws `HEADS_INVALID` naming those that are not there
 */
export function requireHeads(labels: Labels, heads: readonly string[], file: string): void {
  const known = new Set(heads);
  const unknown = Object.keys(labels.heads).filter((head) => !known.has(head));
  if (unknown.length === 0) return;
  const has = heads.length === 0 ? "there are no heads" : `there are ${heads[0]} … ${heads.at(-1)}`;
  throw new ClipInterpretError("HEADS_INVALID", `${file} labels ${unknown.join(", ")}; ${has}`);
}

/**
 * A labeller that takes a file's label where it has one and asks `otherwise` for the rest. A label that says it was
 * made from other descriptions than the head has now is taken, with a `LABELS_STALE` warning.
 * @example
 * ```ts
 * import { manualLabeller, readLabels, writeLabels } from "clip-interpret/labeling";
 *
 * const labeller = { kind: "manual", by: "me", model: null, promptHash: null, date: null } as const;
 * const entry = { label: "colors", descriptions: [], tags: [], explainedVariance: [], consistent: [] };
 * await writeLabels("out/own.json", { model: "m", source: "by eye", heads: { "L1.H0": { ...entry, labeller, judge: null } } });
 * const byHand = manualLabeller(await readLabels("out/own.json"));
 * console.log((await byHand({ layer: 1, head: 0, name: "L1.H0", descriptions: [] }, {}))?.label); // → colors
 * ```
 */
export function manualLabeller(labels: Labels, otherwise?: Labeller, report?: Report): Labeller {
  return async (head, options) => {
    const known = labels.heads[head.name];
    if (!known) return otherwise?.(head, options);
    const { label, labeller, descriptions } = known;
    const now = head.descriptions.map(({ text }) => text);
    if (descriptions.length > 0 && now.length > 0 && descriptions.join("\n") !== now.join("\n")) {
      const message = `"${label}" for ${head.name} was made from other descriptions than the head has now`;
      report?.({ type: "warning", code: "LABELS_STALE", message });
    }
    return { label, labeller };
  };
}
