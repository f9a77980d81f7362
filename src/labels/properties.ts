/**
 * Names of sets of heads: `animals` = the heads that have that label. They come from a file of labels, or from the
 * labels that were published for the six models of the paper.
 */
import type { ClipModel } from "../model/clip-model.ts";
import { listedLabels } from "./labels-file.ts";
import { findPublished } from "./published.ts";

/** Heads by property, as {@link parseComponents} takes them. */
export type Properties = Readonly<Record<string, readonly string[]>>;

/**
 * The properties that a model's heads are known by: those of `file`, or else what was published about it. A head may
 * have several.
 * @param file labels in any form that {@link listedLabels} reads
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { openModel, parseHeads } from "clip-interpret";
 * import { loadProperties } from "clip-interpret/labeling";
 *
 * await writeFile("by-hand.json", JSON.stringify({ colors: ["L1.H0"], places: ["L3.H3", "L2.H1"] }));
 * const model = await openModel("emoji-4x128-p8");
 * const properties = await loadProperties(model, "by-hand.json");
 * console.log(parseHeads(model, "places", properties).heads.length); // → 2
 * ```
 */
export async function loadProperties(
  model: Pick<ClipModel, "name" | "config">,
  file?: string,
): Promise<Properties> {
  const entries =
    file === undefined
      ? ((await findPublished(model.name, model.config))?.heads ?? []).map(
          ({ head, label }) => [head, label] as const,
        )
      : (await listedLabels(file, model.name)).heads.map(([head, { label }]) => [head, label] as const);
  const properties = new Map<string, string[]>();
  for (const [head, label] of entries) properties.set(label, [...(properties.get(label) ?? []), head]);
  return Object.fromEntries(properties);
}
