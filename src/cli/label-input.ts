import { basename } from "node:path";
import { describeHeads } from "../analysis/textspan/describe-heads.ts";
import { openIndex, requireModelOf } from "../corpus/open-index.ts";
import { type DescribedHeads, readDescribed, sourceOf } from "../labeling/described-file.ts";
import { publishedLabeller } from "../labeling/published.ts";
import type { LabellerKind } from "../labels/labels-file.ts";
import { allHeads, componentNames, parseComponents } from "../model/components.ts";
import { embedTexts } from "../model/text-cache.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { defaultPool, loadPool } from "../text/pool.ts";
import type { CommandContext } from "./context.ts";
import { modelNotice } from "./notices.ts";

/** What is to be labelled, as a user says it. */
export interface LabelSource {
  readonly index?: string;
  readonly textspan?: string;
  readonly heads: string;
  readonly texts?: string;
  readonly descriptions: number;
  readonly labeller: LabellerKind;
  readonly labels?: string;
}

/** Heads with their descriptions, and every head that a file may label. */
export interface LabelInput extends DescribedHeads {
  readonly allHeads: readonly string[];
  readonly notice?: string | undefined;
}

/** The descriptions: by TEXTSPAN now, from a file, or none at all. */
export async function describedHeads(
  { globals, models, report, signal }: CommandContext,
  options: LabelSource,
): Promise<LabelInput> {
  const { labeller, descriptions: most } = options;
  if (options.index !== undefined && options.textspan !== undefined) {
    throw new ClipInterpretError("USAGE", "give either --index or --textspan");
  }
  if (options.textspan !== undefined) {
    const input = await readDescribed(options.textspan, most);
    return { ...input, allHeads: input.heads.map(({ head }) => head) };
  }
  if (options.index === undefined && labeller === "published") {
    const { published } = await publishedLabeller(globals.model);
    const names = published.heads.map(({ head }) => head);
    const heads = names.map((head) => ({ head, descriptions: [] }));
    return { model: published.model, source: published.source, heads, allHeads: names };
  }
  if (options.index === undefined && labeller !== "manual") {
    throw new ClipInterpretError("USAGE", "give --index or --textspan: a label is made from descriptions");
  }
  const index = options.index === undefined ? undefined : await openIndex(options.index, { report });
  const model = await models.load(globals.model);
  const every = componentNames(allHeads(model.geometry));
  const notice = modelNotice(model);
  if (!index) {
    const heads = every.map((head) => ({ head, descriptions: [] }));
    return { model: model.name, source: basename(options.labels ?? ""), heads, allHeads: every, notice };
  }
  await requireModelOf(index, model);
  const set = parseComponents(options.heads, model.geometry);
  if (set.mlps.length > 0) throw new ClipInterpretError("HEADS_INVALID", "labels are of heads, not of MLPs");
  const pool = await loadPool(options.texts ?? defaultPool(model.name), { report, signal });
  const texts = pool.texts.map(({ text }) => text);
  const embeddings = await embedTexts(model, texts, { report, signal });
  const { threads } = globals;
  const settings = { iterations: most, draws: 1, threads, report, signal };
  const heads = await describeHeads(index, model.geometry, set, pool, embeddings, settings);
  const source = sourceOf(
    { pool, images: index.images.length, precision: model.precision, index: options.index ?? "" },
    most,
  );
  return { model: model.name, source, heads, allHeads: every, notice };
}
