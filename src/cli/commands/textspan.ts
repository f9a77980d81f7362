import { describeFromWeights } from "../../analysis/from-weights/from-weights.ts";
import { writeDirections } from "../../analysis/from-weights/write-directions.ts";
import { describeHeads } from "../../analysis/textspan/describe-heads.ts";
import { loadProperties, unweighted } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { parseComponents } from "../../model/components.ts";
import { requireDirections } from "../../model/singular-directions.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { collect, number, wholeNumber } from "../strings.ts";
import { spanRawArrays } from "./textspan-arrays.ts";
import { checkOptions, type TextspanCommandOptions } from "./textspan-options.ts";
import { checkOutputs, writeTextspan } from "./textspan-output.ts";

/** `textspan --index INDEX --texts POOL`, over raw arrays, or from weights: what heads write, in texts. */
export const registerTextspan: Register = (program, run) => {
  program
    .command("textspan")
    .description("describe heads by the texts that explain most of what varies in them over images")
    .option("--index <index>", "an index, which brings its model")
    .option("--texts <pool>", "photographs, emoji, or a file of texts; default: the pool that fits the model")
    .option(
      "--heads <set>",
      "heads to describe (L3.H1, L2-L3, all, a property); default: the last four layers",
    )
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .option("--joint", "all components of --heads as one", false)
    .option("--from-weights", "what heads can write, from their weights: no index, no image", false)
    .option("--variance <index>", "with --from-weights: order directions by what its images do along them")
    .option("--directions <n>", "with --from-weights: directions a head (default: 8)", wholeNumber(1, 10_000))
    .option(
      "--per-end <n>",
      "with --from-weights: texts an end of a direction (default: 5)",
      wholeNumber(1, 50),
    )
    .option(
      "--coherence <lambda>",
      "with --from-weights: what likeness among the texts is worth (default: 0.3)",
      number(0, 10),
    )
    .option("--export <folder>", "with --from-weights: write the directions themselves, as .npy")
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
    .option(
      "--control <n>",
      "random rotations of the texts, or random directions, to compare with; 0: none",
      wholeNumber(0, 10_000),
      100,
    )
    .option("--seed <n>", "chooses blocks, resamples, rotations and directions", wholeNumber(0), 0)
    .option("--out <file>", "write it: .json, .html, .png or .svg; once or more", collect, [])
    .action(
      run(async (context, options: TextspanCommandOptions) => {
        checkOptions(options);
        checkOutputs(options.out);
        if (options.fromWeights) await describeWeights(context, options);
        else if (options.index !== undefined) await describeIndex(context, options, options.index);
        else await spanRawArrays(context, options);
      }),
    );
};

async function describeIndex(
  context: CommandContext,
  options: TextspanCommandOptions,
  folder: string,
): Promise<void> {
  const { globals, report, signal } = context;
  const { index, model } = await context.openIndex(folder);
  const { written, set } = await setOf(model, options);
  const pool = await loadPool(options.texts ?? defaultPool(model.name), { report, signal });
  const { iterations, resamples, blocks, seed, control: rotations } = options;
  const result = await describeHeads(model, index, set, pool, {
    ...{ iterations, resamples, blocks, seed, rotations, threads: globals.threads, report, signal },
    joint: options.joint && written,
  });
  await writeTextspan(context, result, options.out);
}

/** `textspan --from-weights`. */
async function describeWeights(context: CommandContext, options: TextspanCommandOptions): Promise<void> {
  const { globals, report, signal } = context;
  const { index, model } =
    options.variance === undefined
      ? { index: undefined, model: await context.model() }
      : await context.openIndex(options.variance);
  requireDirections(model);
  const { set } = await setOf(model, options);
  if (set.mlps.length > 0)
    throw new ClipInterpretError(
      "HEADS_INVALID",
      "an MLP is no linear map: from weights, heads alone are described",
    );
  const pool = await loadPool(options.texts ?? defaultPool(model.name), { report, signal });
  const { seed, control: draws, directions, perEnd: texts, coherence } = options;
  const result = await describeFromWeights(model, pool, {
    ...{ set, index, seed, draws, threads: globals.threads, report, signal },
    ...(directions !== undefined && { directions }),
    ...(texts !== undefined && { texts }),
    ...(coherence !== undefined && { coherence }),
  });
  await writeTextspan(context, result, options.out);
  if (options.export === undefined) return;
  for (const path of await writeDirections(model, set, options.export, { signal }))
    context.say(`written: ${path}`);
}

/** The set that was named, or the heads of the last four layers. */
async function setOf(model: ClipModel, { heads, labels }: TextspanCommandOptions) {
  const { geometry } = model;
  const written = heads ?? `last${Math.min(4, geometry.layers)}`;
  return {
    written,
    set: parseComponents(written, geometry, unweighted(await loadProperties(model, labels))),
  };
}
