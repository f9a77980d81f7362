import { type ComparedSide, compareModels } from "../../analysis/compare/compare.ts";
import { compareFineTune } from "../../analysis/compare/fine-tune.ts";
import { readsTexts } from "../../checkpoint/model-config.ts";
import { openWithModel } from "../../corpus/index-model.ts";
import { thumbnailsOf } from "../../corpus/thumbnails.ts";
import { parseComponents } from "../../model/components.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import { compareHtml } from "../../views/compare/page.ts";
import { compareSvg } from "../../views/compare/svg.ts";
import { compareTerminal } from "../../views/compare/terminal.ts";
import { imagesShown, THUMBNAIL } from "../../views/compare/words.ts";
import { fineTuneHtml } from "../../views/fine-tune/page.ts";
import { fineTuneSvg } from "../../views/fine-tune/svg.ts";
import { fineTuneTerminal } from "../../views/fine-tune/terminal.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";

interface CompareOptions {
  readonly base?: string;
  readonly texts?: string;
  readonly directions: number;
  readonly index: readonly string[];
  readonly root: readonly string[];
  readonly madeBy: readonly string[];
  readonly heads: string;
  readonly k: number;
  readonly maxImages: number;
  readonly permutations: number;
  readonly seed: number;
  readonly out: readonly string[];
}

/** `compare --index A --index B`: which heads of two models respond alike; `--base`: what fine-tuning made of them. */
export const registerCompare: Register = (program, run) => {
  program
    .command("compare")
    .description(
      "match the heads of two models by how alike they respond to the same images, or a fine-tune's with its base's",
    )
    .option("--index <index>", "an index; twice, of the same images by two models", collect, [])
    .option(
      "--made-by <model>",
      "the model that made an index, where its name there does not say; in the order of --index",
      collect,
      [],
    )
    .option(
      "--root <folder>",
      "where the images of an index lie now, if they moved without it; in the order of --index",
      collect,
      [],
    )
    .option("--heads <set>", "heads of each model: all, last4, L2-L3, L3.H1, …", "all")
    .option("-k <n>", "pairs to say more about", wholeNumber(0, 1000), 10)
    .option("--max-images <n>", "at most so many images, drawn at random", wholeNumber(40), 2000)
    .option("--permutations <n>", "random permutations for the chance level", wholeNumber(1, 1000), 20)
    .option("--seed <n>", "chooses images, permutations and blocks", wholeNumber(0), 0)
    .option(
      "--base <model>",
      "instead of indexes: the model that --model was fine-tuned from; weights are compared",
    )
    .option("--texts <pool>", "with --base: photographs, emoji, a file, or none; default: the pool that fits")
    .option("--directions <n>", "with --base: directions of a change in texts", wholeNumber(0, 1000), 2)
    .addOption(pictureOption())
    .action(
      run(async (context, options: CompareOptions) => {
        const { report, signal, streams, say, result } = context;
        if (options.base !== undefined) return compareWeights(context, options, options.base);
        if (options.index.length !== 2)
          throw new ClipInterpretError("USAGE", "give --index twice, or --base with --model");
        if (options.texts !== undefined) throw new ClipInterpretError("USAGE", "--texts goes with --base");
        checkPictures(options.out);
        const a = await loadSide(context, options, 0);
        const b = await loadSide(context, options, 1);
        const { k: pairs, maxImages, permutations, seed } = options;
        const found = await compareModels(a, b, { pairs, maxImages, permutations, seed, report, signal });
        if (options.out.length > 0) {
          const pictures = { pictureOf: await thumbnailsOf(a.index, imagesShown(found), THUMBNAIL, report) };
          await writePictures(options.out, {
            svg: () => compareSvg(found, pictures),
            html: () => compareHtml(found, pictures),
          });
        }
        result(found, () => compareTerminal(found, { columns: streams.stdout.columns ?? 80 }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};

/** `compare --base B --model M`: M was fine-tuned from B. */
async function compareWeights(
  context: CommandContext,
  { index, heads, texts, directions, out }: CompareOptions,
  baseName: string,
): Promise<void> {
  const { globals, models, report, signal, streams, say, result } = context;
  if (index.length > 0) throw new ClipInterpretError("USAGE", "--index and --base are two ways to compare");
  checkPictures(out);
  const [base, tuned] = [await models.load(baseName), await context.model()];
  const set = parseComponents(heads, tuned.geometry);
  if (set.mlps.length > 0)
    throw new ClipInterpretError(
      "HEADS_INVALID",
      "an MLP is no linear map: from weights, heads alone are compared",
    );
  const speaks = texts !== "none" && readsTexts(tuned.config.text);
  const pool = speaks ? await loadPool(texts ?? defaultPool(base.name), { report, signal }) : undefined;
  const found = await compareFineTune(base, tuned, {
    ...{ set, pool, directions, threads: globals.threads, report, signal },
  });
  await writePictures(out, { svg: () => fineTuneSvg(found), html: () => fineTuneHtml(found) });
  result(found, () => fineTuneTerminal(found, { columns: streams.stdout.columns ?? 80 }));
  for (const path of out) say(`drawn: ${path}`);
}

/** @throws `MODEL_NOT_FOUND`, `INDEX_MISMATCH`, `HEADS_INVALID` */
async function loadSide(
  { models, report }: CommandContext,
  options: CompareOptions,
  side: 0 | 1,
): Promise<ComparedSide> {
  const wanted = { named: options.madeBy[side], root: options.root[side], report };
  const opened = openWithModel(options.index[side], models, wanted).catch((error: unknown) => {
    if (!(error instanceof ClipInterpretError) || error.code !== "MODEL_NOT_FOUND") throw error;
    const hint = `${error.hint} Where it lies elsewhere, say so with --made-by, once for each --index.`;
    throw new ClipInterpretError("MODEL_NOT_FOUND", error.message, { hint, cause: error });
  });
  const { index, model } = await opened;
  const { heads } = options;
  return { index, model, components: { name: heads, set: parseComponents(heads, model.geometry) } };
}
