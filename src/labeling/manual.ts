/** Labels by hand: a file of them goes before any labeller. */
import { headName } from "../model/components.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import type { Labeller } from "./labeller.ts";
import type { Labels } from "./labels.ts";

/** A model's sizes, as far as heads go. */
interface Sizes {
  readonly layers: number;
  readonly heads: number;
}

/**
 * Checks that a file's heads are heads of the model.
 * @throws `HEADS_INVALID` naming those that are not
 */
export function requireHeads(labels: Labels, { layers, heads }: Sizes, file: string): void {
  const unknown = Object.keys(labels.heads).filter((name) => {
    const [layer, head] = (name.match(/\d+/g) ?? []).map(Number);
    return layer >= layers || head >= heads || headName(layer, head) !== name;
  });
  if (unknown.length === 0) return;
  const has = `the model has L0–L${layers - 1} with heads H0–H${heads - 1}`;
  throw new ClipInterpretError("HEADS_INVALID", `${file} labels ${unknown.join(", ")}; ${has}`);
}

/**
 * A labeller that takes a file's label where it has one and asks `otherwise` for the rest. A label that says it was
 * made from other descriptions than the head has now is taken, with a `LABELS_STALE` warning.
 */
export function manualLabeller(labels: Labels, otherwise?: Labeller, report?: Report): Labeller {
  return async (head, options) => {
    const known = labels.heads[head.head];
    if (!known) return otherwise?.(head, options);
    const { label, labeller, descriptions } = known;
    const now = head.descriptions.map(({ text }) => text);
    if (descriptions.length > 0 && now.length > 0 && descriptions.join("\n") !== now.join("\n")) {
      const message = `"${label}" for ${head.head} was made from other descriptions than the head has now`;
      report?.({ type: "warning", code: "LABELS_STALE", message });
    }
    return { label, labeller };
  };
}
