import { join } from "node:path";
import type { z } from "zod";
import { measureRetrieval } from "../analysis/neighbors/retrieval.ts";
import { measureSelectivity } from "../analysis/selectivity/selectivity.ts";
import { hashOf } from "../corpus/hash-index.ts";
import type { Index } from "../corpus/open-index.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import { loadProperties, type Properties, requireLabelsOf } from "../labels/properties.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { parseComponents } from "../model/components.ts";
import { insightsSchema, type propertiesSchema } from "../results/app.ts";
import { headOf } from "../results/shapes.ts";
import { codeVersion } from "../support/code-version.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson, writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { ServedModels } from "./models.ts";

/** What the known factors of a corpus say of each head. */
export type Insights = z.infer<typeof insightsSchema>;
/** A name of a set of heads. */
export type Property = z.infer<typeof propertiesSchema>["properties"][number];

/**
 * What heads know, measured once for an index whose images have known factors, and kept.
 * Five permutations and 200 queries: enough to say what a head follows, in seconds rather than minutes.
 */
export async function measureInsights(
  model: ClipModel,
  index: Index,
  cache: string,
  work: WorkOptions,
): Promise<Insights> {
  const known = await readInsights(model, index, cache);
  if (known) return known;
  const textCache = join(cache, "texts");
  const selectivity = await measureSelectivity(model, index, { permutations: 5, textCache, ...work });
  const retrieval = await measureRetrieval(model, index, {
    headsPerFactor: [1, PROPERTY_HEADS],
    queries: 200,
    permutations: 2,
    textCache,
    ...work,
  });
  const insights = { selectivity, retrieval };
  await writeWhole(await placeOf(model, index, cache), JSON.stringify(insights));
  return insights;
}

/** What was measured, if it was. */
export async function readInsights(
  model: ClipModel,
  index: ShardedIndex,
  cache: string,
): Promise<Insights | undefined> {
  try {
    return insightsSchema.parse(await readJson(await placeOf(model, index, cache)));
  } catch {
    return undefined;
  }
}

/** Named by all that the numbers follow from, this program's code too, so that nothing else finds them. */
async function placeOf(model: ClipModel, index: ShardedIndex, cache: string): Promise<string> {
  const code = await codeVersion();
  const hash = sha256Of(JSON.stringify([code, await model.weightsHash(), await hashOf(index)]));
  return join(cache, "insights", `${hash.slice(0, 24)}.json`);
}

/** Heads of a factor's property. */
const PROPERTY_HEADS = 3;

/**
 * Names of sets of heads: factors that some heads clearly follow, labels that were given by hand, by a file or published, and factors by which
 * no heads that were chosen for them retrieve better than chance; within each the clearest first.
 */
export async function propertiesOf(
  model: ClipModel,
  insights: Insights | undefined,
  labels: string | undefined,
  byHand: Properties = {},
): Promise<Property[]> {
  // Another model's labels say nothing of this one's heads.
  const fits = labels !== undefined && (await fitsModel(model, labels));
  const given = await loadProperties(model, fits ? labels : undefined);
  const named: Properties = Object.fromEntries(
    [...Object.keys(given), ...Object.keys(byHand)].map((name) => [
      name,
      [...new Set([...(given[name] ?? []), ...(byHand[name] ?? [])])],
    ]),
  );
  const taken = new Set(Object.keys(named).map((name) => name.toLowerCase()));
  const labelled = Object.entries(named).map(([name, heads]) => ({
    ...{ name, source: "label" as const, precision: null },
    heads: parseComponents(heads.join(), model.geometry).heads.map(({ layer, head, weight }) => ({
      ...headOf(layer, head),
      weight,
    })),
  }));
  const measured = insights
    ? factorProperties(insights).filter(({ name }) => !taken.has(name.toLowerCase()))
    : [];
  const isClear = ({ precision }: Property) => precision !== null && precision.low > precision.chance;
  return [...measured.filter(isClear), ...labelled, ...measured.filter((property) => !isClear(property))];
}

/** The best heads of each factor with what they were measured to find; those first that find most beyond chance. */
function factorProperties({ retrieval: { k, factors, rows } }: Insights): Property[] {
  const properties = factors.flatMap(({ name, chance }, f): Property[] => {
    const own = rows.filter(({ chosenFor }) => chosenFor === name);
    if (own.length === 0) return [];
    const { heads, precisionAtK } = own.reduce((most, row) =>
      row.heads.length > most.heads.length ? row : most,
    );
    return [{ name, source: "factor", heads, precision: { k, ...precisionAtK[f], chance } }];
  });
  const lift = ({ precision: p }: Property) => (p ? p.mean - p.chance : 0);
  return properties.sort((a, b) => lift(b) - lift(a));
}

/** Whether a file has labels of a model. @throws as {@link requireLabelsOf} */
export const fitsModel = (model: ClipModel, labels: string): Promise<boolean> =>
  requireLabelsOf(model, labels).then(
    () => true,
    (error) => {
      if (error instanceof ClipInterpretError && error.code === "LABELS_MISSING") return false;
      throw error;
    },
  );

/** Sees that a file has labels of one of the models that a server is started with. @throws as {@link requireLabelsOf} */
export async function requireLabels(labels: string, models: ServedModels): Promise<void> {
  const given = await Promise.all(models.given.map((id) => models.load(id)));
  for (const model of given) if (await fitsModel(model, labels)) return;
  await requireLabelsOf(given[0], labels);
}
