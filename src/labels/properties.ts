/**
 * Names that stand for heads: `animals` = the heads that bear that label. They come from a file of labels, from the
 * labels that were published for the six models of the paper, or from a user's own list.
 */
import { z } from "zod";
import type { ClipModel } from "../model/clip-model.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import { findPublished } from "./published.ts";

/** Heads by property, as {@link parseComponents} takes them. */
export type Properties = Readonly<Record<string, readonly string[]>>;

const head = z.string().regex(/^L\d+\.H\d+$/, "heads are written L10.H3");
const labelsSchema = z.object({
  heads: z.record(head, z.union([z.string(), z.object({ label: z.string() })])),
});
const publishedSchema = z.object({
  models: z.record(z.string(), z.object({ heads: z.record(head, z.string()) })),
});
const ownSchema = z.record(z.string(), z.array(head));

/**
 * The properties that a model's heads are known by: those of `file`, or else what was published about it.
 * @param file a labels file (`{"heads": {"L10.H3": {"label": …}}}`), a file of several models' labels, or
 *   `{property: [heads]}`
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
  if (file === undefined) {
    const published = await findPublished(model.name, model.config);
    return byLabel((published?.heads ?? []).map(({ head: name, label }) => [name, label]));
  }
  const json = await readJson(file);
  const several = publishedSchema.safeParse(json);
  if (several.success) {
    const own = several.data.models[model.name];
    if (own) return byLabel(Object.entries(own.heads));
    const known = Object.keys(several.data.models).join(", ");
    throw new ClipInterpretError("JSON_INVALID", `${file} has labels for ${known}, not for ${model.name}`);
  }
  const labels = labelsSchema.safeParse(json);
  if (labels.success) {
    const entries = Object.entries(labels.data.heads);
    return byLabel(entries.map(([name, entry]) => [name, typeof entry === "string" ? entry : entry.label]));
  }
  const own = ownSchema.safeParse(json);
  if (own.success) return own.data;
  throw new ClipInterpretError("JSON_INVALID", `${file} holds neither labels nor {property: [heads]}`);
}

function byLabel(entries: readonly (readonly [head: string, label: string])[]): Properties {
  const heads: Record<string, string[]> = {};
  for (const [name, label] of entries) {
    heads[label] ??= [];
    heads[label].push(name);
  }
  return heads;
}
