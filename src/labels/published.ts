import { z } from "zod";
import { packaged } from "../support/disk-paths.ts";
import { readJson } from "../support/files.ts";

/** What others published about a model; see `assets/published/README.md`. */
export interface Published {
  /** The model's name there, architecture and tag. */
  readonly model: string;
  readonly source: string;
  /** Labels of the last four layers' heads, in order. */
  readonly heads: readonly { readonly head: string; readonly label: string }[];
  /** Share of heads with a label, as written, which another of them has too. */
  readonly sharedLabels: number;
  /** As printed in the papers; null where nothing is. */
  readonly entanglement: number | null;
  readonly association: number | null;
  /** How many heads have Concept Consistency Score 5, 3, and at most 1. */
  readonly consistency: { readonly high: number; readonly moderate: number; readonly low: number };
}

/** Labels of a model's heads as they were published, with the lists of heads that were published beside them. */
export interface PublishedLabels {
  /** The model's name there, architecture and tag. */
  readonly model: string;
  readonly source: string;
  readonly heads: readonly { readonly head: string; readonly label: string }[];
  /** Property → heads, as the application offers them. */
  readonly properties: Readonly<Record<string, readonly string[]>>;
}

const labelsSchema = z.object({
  source: z.string(),
  models: z.record(
    z.string(),
    z.object({
      hub: z.string(),
      heads: z.record(z.string(), z.string()),
      properties: z.record(z.string(), z.array(z.string())),
    }),
  ),
});
const count = z.int().min(0);
const share = z.number().min(0).max(1).nullable();
const valuesSchema = z.object({
  models: z.record(
    z.string(),
    z.object({
      entanglement: share,
      association: share,
      consistency: z.object({ high: count, moderate: count, low: count }),
    }),
  ),
});

const pathOf = (file: string) => packaged(`assets/published/${file}`);
const read = (file: string) => readJson(pathOf(file));

/** The file that holds the published labels of all six models. */
export const PUBLISHED_LABELS = pathOf("head-labels.json");

/** The labels published for a model, by the paper's name, its hub id, or a folder named as its repository. */
export async function publishedLabels(name: string): Promise<PublishedLabels | undefined> {
  const { source, models } = labelsSchema.parse(await read("head-labels.json"));
  const wanted = name.toLowerCase();
  const found = Object.entries(models).find(([model, { hub }]) =>
    [model, hub, hub.split("/")[1]].some((known) => known?.toLowerCase() === wanted),
  );
  if (!found) return undefined;
  const [model, { heads, properties }] = found;
  return {
    model,
    source,
    heads: Object.entries(heads).map(([head, label]) => ({ head, label })),
    properties,
  };
}

/**
 * Finds what was published about a model: by the paper's name, its hub id, or a folder named as its repository.
 * Nothing for another model, or one whose shape is not the published one's.
 */
export async function findPublished(
  name: string,
  { vision }: { readonly vision: { readonly layers: number; readonly heads: number } },
): Promise<Published | undefined> {
  const found = await publishedLabels(name);
  if (!found) return undefined;
  const values = valuesSchema.parse(await read("printed-values.json"));
  const { model, source, heads } = found;
  const fits = heads.every(({ head }) => {
    const [, layer, index] = /^L(\d+)\.H(\d+)$/.exec(head) ?? [];
    return Number(layer) < vision.layers && Number(index) < vision.heads;
  });
  if (!fits || heads.length !== 4 * vision.heads) return undefined;
  const labels = heads.map(({ label }) => label);
  const shared = labels.filter((label) => labels.indexOf(label) !== labels.lastIndexOf(label));
  return { model, source, heads, sharedLabels: shared.length / labels.length, ...values.models[model] };
}
