import { basename } from "node:path";
import { describeHeads } from "../analysis/textspan/describe-heads.ts";
import { readDescribed, sourceOf } from "../labeling/described-file.ts";
import type { Described } from "../labeling/labeller.ts";
import { publishedLabeller } from "../labeling/published.ts";
import type { LabellerKind } from "../labels/kinds.ts";
import { allHeads, componentNames, parseComponents } from "../model/components.ts";
import type { LabelResult } from "../results/label.ts";
import { originOf } from "../results/origin.ts";
import { headNamed } from "../results/shapes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { defaultPool, loadPool, type PoolText } from "../text/pool.ts";
import type { CommandContext } from "./context.ts";

/** What to label, as a user says it. */
export interface LabelSource {
  readonly index?: string;
  readonly textspan?: string;
  readonly heads: string;
  readonly texts?: string;
  readonly descriptions: number;
  readonly labeller: LabellerKind;
  readonly labels?: string;
}

/** Heads with their descriptions, where these come from, and every head that a file may label. */
export interface LabelInput {
  readonly origin: LabelResult["origin"];
  readonly model: string;
  /** In words. */
  readonly source: string;
  readonly heads: readonly Described[];
  readonly allHeads: readonly string[];
  /** Texts that may say what they speak of: the pool's, or the descriptions. */
  readonly texts: readonly PoolText[];
}

/** The descriptions: by TEXTSPAN now, from a file, or none at all. */
export async function describedHeads(context: CommandContext, options: LabelSource): Promise<LabelInput> {
  const { globals, report, signal } = context;
  const { labeller, descriptions: most } = options;
  if (options.index !== undefined && options.textspan !== undefined) {
    throw new ClipInterpretError("USAGE", "give either --index or --textspan");
  }
  const undescribed = (names: readonly string[]) => ({
    heads: names.map((name) => ({ ...headNamed(name), descriptions: [] })),
    allHeads: names,
    texts: [],
  });
  if (options.textspan !== undefined) {
    const { origin, heads } = await readDescribed(options.textspan, most);
    const about = { model: origin.model.name, source: sourceOf(origin, most) };
    const now = { ...origin, ...(await originOf({})) };
    const described = new Map(
      heads.flatMap(({ descriptions }) => descriptions.map((one) => [one.text, one])),
    );
    const texts =
      options.texts === undefined
        ? [...described.values()].map(({ text, property }) => ({ text, property }))
        : (await loadPool(options.texts, { report, signal })).texts;
    return { origin: now, ...about, heads, allHeads: heads.map(({ name }) => name), texts };
  }
  if (options.index === undefined && labeller === "published") {
    const { model, source, heads } = (await publishedLabeller(context.modelName)).published;
    return { origin: await originOf({}), model, source, ...undescribed(heads.map(({ head }) => head)) };
  }
  if (options.index === undefined && labeller !== "manual") {
    throw new ClipInterpretError("USAGE", "give --index or --textspan: a label is made from descriptions");
  }
  if (options.index === undefined) {
    const model = await context.model();
    const source = basename(options.labels ?? "");
    const every = componentNames(allHeads(model.geometry), model.geometry);
    return { origin: await originOf({ model }), model: model.name, source, ...undescribed(every) };
  }
  const { index, model } = await context.openShards(options.index);
  const set = parseComponents(options.heads, model.geometry);
  if (set.mlps.length > 0) throw new ClipInterpretError("HEADS_INVALID", "labels are of heads, not of MLPs");
  const pool = await loadPool(options.texts ?? defaultPool(model.name), { report, signal });
  const settings = { iterations: most, rotations: 0, threads: globals.threads, report, signal };
  const { origin, heads } = await describeHeads(model, index, set, pool, settings);
  return {
    origin,
    model: model.name,
    source: sourceOf(origin, most),
    heads,
    allHeads: componentNames(allHeads(model.geometry), model.geometry),
    texts: pool.texts,
  };
}
