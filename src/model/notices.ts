import type { ClipModel } from "./clip-model.ts";
import { isEmbedded } from "./registry.ts";

/** What must stand beside every result of an approximate model; nothing in float32. */
export const precisionNotice = ({ precision }: ClipModel): string[] =>
  precision === "fp32"
    ? []
    : [
        `${precision} approximation: the parts sum exactly to a score that is near float32's, not equal to it.`,
      ];

/** What a reader must know before a model's pictures and scores, if anything. */
export function modelNotice(model: ClipModel): string | undefined {
  const embedded = `${model.name} is a small model trained on generated scenes of drawn emoji. It knows nothing of photographs.`;
  const notices = [...(isEmbedded(model.name) ? [embedded] : []), ...precisionNotice(model)];
  return notices.length > 0 ? notices.join(" ") : undefined;
}
