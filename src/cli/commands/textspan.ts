import { describeHeads } from "../../analysis/textspan/describe-heads.ts";
import { loadProperties, unweighted } from "../../labels/properties.ts";
import { parseComponents } from "../../model/components.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { collect, wholeNumber } from "../strings.ts";
import { spanRawArrays } from "./textspan-arrays.ts";
import { checkOptions, type TextspanCommandOptions } from "./textspan-options.ts";
import { checkOutputs, writeTextspan } from "./textspan-output.ts";

/** `textspan --index INDEX --texts POOL`, or over raw arrays: what heads write, in texts. */
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
      "random rotations of the texts to compare with; 0: none",
      wholeNumber(0, 10_000),
      100,
    )
    .option("--seed <n>", "chooses blocks, resamples and rotations", wholeNumber(0), 0)
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
  const { globals, report, signal } = context;
  const { index, model } = await context.openIndex(folder);
  const { geometry, name } = model;
  const written = options.heads ?? `last${Math.min(4, geometry.layers)}`;
  const set = parseComponents(written, geometry, unweighted(await loadProperties(model, options.labels)));
  const pool = await loadPool(options.texts ?? defaultPool(name), { report, signal });
  const { iterations, resamples, blocks, seed, control: rotations } = options;
  const result = await describeHeads(model, index, set, pool, {
    ...{ iterations, resamples, blocks, seed, rotations, threads: globals.threads, report, signal },
    joint: options.joint && written,
  });
  await writeTextspan(context, result, options.out);
}
