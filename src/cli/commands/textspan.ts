import { type DescribedHead, describeHeads } from "../../analysis/textspan/describe-heads.ts";
import { openIndex, requireModelOf } from "../../corpus/open-index.ts";
import { loadProperties } from "../../labels/properties.ts";
import { parseComponents } from "../../model/components.ts";
import { embedTexts } from "../../model/text-cache.ts";
import { textspanResultSchema } from "../../results/textspan.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import { counted } from "../../views/kit/text.ts";
import { textspanText } from "../../views/textspan/terminal.ts";
import type { TextspanInput } from "../../views/textspan/words.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { modelNotice } from "../notices.ts";
import { wholeNumber } from "../strings.ts";
import { spanRawArrays } from "./textspan-arrays.ts";
import { checkOptions, type TextspanCommandOptions } from "./textspan-options.ts";
import { checkOutputs, writeOutputs } from "./textspan-output.ts";

const collect = (value: string, known: readonly string[]) => [...known, value];

/** `textspan --index INDEX --texts POOL`, or over raw arrays: what heads write, in texts. */
export const registerTextspan: Register = (program, run) => {
  program
    .command("textspan")
    .description("describe heads by the texts that explain most of what varies in them over images")
    .option("--index <index>", "an index that `index` made with this model")
    .option("--texts <pool>", "photographs, emoji, or a file of texts; default: the pool that fits the model")
    .option(
      "--heads <set>",
      "heads to describe (L3.H1, L2-L3, all, a property); default: the last four layers",
    )
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .option("--joint", "all components of --heads as one", false)
    .option("--contributions <file>", "instead of an index: .npy float32 [n, D]")
    .option("--text-features <file>", "with --contributions: .npy [t, D], used as they are")
    .option("--rank <n>", "with --contributions: project texts on so many directions", wholeNumber(1))
    .option("--reconstruction <file>", "with --contributions: write them as the texts give them back, .npy")
    .option("--iterations <n>", "texts a head", wholeNumber(1, 10_000), 20)
    .option(
      "--resamples <n>",
      "resamples of the images for the stability; 0: none",
      wholeNumber(0, 10_000),
      32,
    )
    .option("--blocks <n>", "blocks of images that are resampled", wholeNumber(32, 1_000_000), 32)
    .option("--seed <n>", "chooses blocks, resamples and random texts", wholeNumber(0), 0)
    .option("--out <file>", "write it: .json, .html, .png or .svg; once or more", collect, [])
    .action(
      run(async (context, options: TextspanCommandOptions) => {
        checkOptions(options);
        checkOutputs(options.out);
        await (options.index === undefined
          ? spanRawArrays(context, options)
          : describeIndex(context, options, options.index));
      }),
    );
};

async function describeIndex(
  context: CommandContext,
  options: TextspanCommandOptions,
  folder: string,
): Promise<void> {
  const { globals, models, report, signal, streams, say, result } = context;
  const index = await openIndex(folder, { report });
  const model = await models.load(globals.model);
  await requireModelOf(index, model);
  const { geometry, name, precision } = model;
  const set = parseComponents(
    options.heads ?? `last${Math.min(4, geometry.layers)}`,
    geometry,
    await loadProperties(model, options.labels),
  );
  const pool = await loadPool(options.texts ?? defaultPool(name), { report, signal });
  const texts = pool.texts.map(({ text }) => text);
  const embeddings = await embedTexts(model, texts, { report, signal });
  const { iterations, joint, resamples, blocks, seed } = options;
  const { threads } = globals;
  const work = { iterations, joint, resamples, blocks, seed, threads, report, signal };
  const described = await describeHeads(index, geometry, set, pool, embeddings, work);
  const json = textspanResultSchema.parse({
    ...{ model: name, precision, index: index.folder, images: index.images.length },
    pool: { name: pool.name, hash: pool.hash, texts: texts.length },
    ...{ iterations, seed },
    heads: described.map(headJson),
  });
  const notice = modelNotice(model);
  const picture: TextspanInput = {
    subject: name,
    images: index.images.length,
    pool: `${counted(texts.length, "text")} (${pool.name})`,
    resamples,
    panels: described.map(panelOf),
    ...(notice !== undefined && { notice }),
  };
  await writeOutputs(options.out, json, picture);
  result(json, () => textspanText(picture, { columns: streams.stdout.columns ?? 80 }));
  for (const path of options.out) say(`written: ${path}`);
}

const headJson = (described: DescribedHead) => {
  const { head, components, descriptions, totalVariance, rank, control, stability } = described;
  const { selections: _, ...summary } = stability ?? { selections: [] };
  return {
    ...{ head, components, totalVariance, rank, control },
    stability: stability === null ? null : summary,
    selected: descriptions.map(({ index }) => index),
    explainedVariance: descriptions.map(({ explainedVariance }) => explainedVariance),
    descriptions: descriptions.map((description, step) => ({
      ...description,
      chosenShare: stability?.chosenShare[step] ?? null,
    })),
  };
};

const panelOf = ({ head, components, rank, descriptions, control, stability }: DescribedHead) => ({
  name: head === "joint" ? jointName(components) : head,
  rank,
  texts: descriptions.map(({ text, property, explainedVariance }, step) => ({
    ...{ text, property, share: explainedVariance },
    chosenShare: stability?.chosenShare[step] ?? null,
  })),
  random: control.randomTexts,
  ceiling: control.ceiling,
  explained: stability?.explained ?? null,
  overlap: stability?.overlap.mean ?? null,
});

const jointName = (components: readonly string[]): string =>
  components.length <= 3 ? components.join(" + ") : `${components.length} components as one`;
