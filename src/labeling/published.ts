/** The head labels that the authors of CLIP-InterpreT published for six models. */
import { type PublishedLabels, publishedLabels } from "../labels/published.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Labeller } from "./labeller.ts";

/** Madasu, Gandelsman, Lal, Howard, 2024: the paper that the released application belongs to. */
const DATE = "2024-09";

/**
 * A labeller that says what was published about a model's heads, and nothing about its others.
 * @param model the paper's name for it, or its hub id
 * @throws `LABELS_MISSING` for any other model
 * @example
 * ```ts
 * import { publishedLabeller } from "clip-interpret/labeling";
 *
 * const { published, labeller } = await publishedLabeller("ViT-B-32/openai");
 * console.log(published.heads.length, (await labeller({ layer: 11, head: 3, name: "L11.H3", descriptions: [] }, {}))?.label); // → 48 Colors
 * ```
 */
export async function publishedLabeller(
  model: string,
): Promise<{ published: PublishedLabels; labeller: Labeller }> {
  const published = await publishedLabels(model);
  if (!published) {
    throw new ClipInterpretError("LABELS_MISSING", `no head labels were published for ${model}`);
  }
  const labeller: Labeller = async ({ name }) => {
    const found = published.heads.find(({ head }) => head === name);
    if (!found) return undefined;
    const { source } = published;
    return {
      label: found.label,
      labeller: { kind: "published", by: source, model: null, promptHash: null, date: DATE },
    };
  };
  return { published, labeller };
}
