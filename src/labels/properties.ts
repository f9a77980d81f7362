/**
 * Names of sets of heads: `animals` = the heads that have that label. They come from a file of labels, or from the
 * labels that were published for the six models of the paper.
 */
import type { ClipModel } from "../model/clip-model.ts";
import { weightedName } from "../model/components.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { listedLabels, readLabelsFile } from "./labels-file.ts";
import { findPublished } from "./published.ts";

/** Heads by property, with weights where they have any, as `parseComponents` takes them: `L3.H1`, `L3.H1*-1`. */
export type Properties = Readonly<Record<string, readonly string[]>>;

/**
 * The properties that a model's heads are known by: those of `file`, or else what was published about it. A head may
 * have several.
 * @param file labels in any form that `listedLabels` reads
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
      : (await listedLabels(file, model.name)).heads.map(
          ([head, { label }, weight = 1]) => [weightedName(head, weight), label] as const,
        );
  const properties = new Map<string, string[]>();
  for (const [head, label] of entries) properties.set(label, [...(properties.get(label) ?? []), head]);
  return Object.fromEntries(properties);
}

/**
 * The same heads without weights: for what takes heads away, or describes them, whatever they write towards. A weight says how
 * a head is to be read.
 */
export const unweighted = (properties: Properties): Properties =>
  Object.fromEntries(
    Object.entries(properties).map(([name, heads]) => [name, heads.map((head) => head.split("*")[0])]),
  );

/**
 * Sees that a file's labels are of a model: they name it or none, and no head that it does not have.
 * @throws `LABELS_MISSING` for those of another; `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 */
export async function requireLabelsOf(
  { name, config }: Pick<ClipModel, "name" | "config">,
  file: string,
): Promise<void> {
  const { models } = await readLabelsFile(file);
  const own = models.find((labels) => labels.model === name || labels.model === "");
  const hint = "Use the labels of this model, or name the model that they are of with --model.";
  if (!own) {
    const message = `${file} holds labels of ${models.map(({ model }) => model).join(", ")}, not of ${name}`;
    throw new ClipInterpretError("LABELS_MISSING", message, { hint });
  }
  const { layers, heads } = config.vision;
  const stray = own.heads.find(([head]) => {
    const [layer, unit] = head.match(/\d+/g)!.map(Number);
    return layer >= layers || unit >= heads;
  });
  if (!stray) return;
  throw new ClipInterpretError(
    "LABELS_MISSING",
    `${file} has a label for ${stray[0]}, which ${name} does not have`,
    { hint },
  );
}
