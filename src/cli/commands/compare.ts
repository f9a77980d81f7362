import { join } from "node:path";
import { type ComparedSide, type Comparison, compareModels } from "../../analysis/compare/compare.ts";
import { type Index, openIndex, requireModelOf } from "../../corpus/open-index.ts";
import { thumbnail } from "../../image/thumbnail.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { parseComponents } from "../../model/components.ts";
import { compareResultSchema } from "../../results/compare.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { headMatchHtml } from "../../views/compare/page.ts";
import { headMatchSvg } from "../../views/compare/svg.ts";
import { headMatchText } from "../../views/compare/terminal.ts";
import type { HeadMatchInput } from "../../views/compare/words.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { modelNotice } from "../notices.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";

interface CompareOptions {
  readonly index: readonly string[];
  readonly madeBy: readonly string[];
  readonly heads: string;
  readonly k: number;
  readonly images: number;
  readonly permutations: number;
  readonly seed: number;
  readonly out: readonly string[];
}

/** A model with the index that it made, and the heads of it that are compared. */
interface LoadedSide extends ComparedSide {
  readonly model: ClipModel;
}

/** `compare --index A --index B`: which heads of two models respond alike. */
export const registerCompare: Register = (program, run) => {
  program
    .command("compare")
    .description("match the heads of two models by how alike they respond to the same images")
    .requiredOption("--index <index>", "an index; twice, of the same images by two models", collect, [])
    .option(
      "--made-by <model>",
      "the model that made an index, where its name there does not say; in the order of --index",
      collect,
      [],
    )
    .option("--heads <set>", "heads of each model: all, last4, L2-L3, L3.H1, …", "all")
    .option("-k <n>", "pairs to say more about", wholeNumber(0, 1000), 10)
    .option("--images <n>", "at most so many images, drawn at random", wholeNumber(40), 2000)
    .option("--permutations <n>", "random permutations for the chance level", wholeNumber(1, 1000), 20)
    .option("--seed <n>", "chooses images, permutations and blocks", wholeNumber(0), 0)
    .addOption(pictureOption())
    .action(
      run(async (context, options: CompareOptions) => {
        const { report, signal, streams, say, result } = context;
        if (options.index.length !== 2) throw new ClipInterpretError("USAGE", "give --index twice");
        checkPictures(options.out);
        const a = await loadSide(context, options, 0);
        const b = await loadSide(context, options, 1);
        const { k: pairs, images: most, permutations, seed } = options;
        const found = await compareModels(a.model.matmul, a, b, {
          ...{ pairs, most, permutations, seed, report, signal },
        });
        const json = compareResultSchema.parse(jsonOf(a, b, found));
        const picture = await pictureOf(a, b, found, options.out.length > 0);
        await writePictures(options.out, {
          svg: () => headMatchSvg(picture),
          html: () => headMatchHtml(picture),
        });
        result(json, () => headMatchText(picture, { columns: streams.stdout.columns ?? 80 }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};

/** @throws `MODEL_NOT_FOUND`, `INDEX_MISMATCH`, `HEADS_INVALID` */
async function loadSide(
  { models, report }: CommandContext,
  options: CompareOptions,
  side: 0 | 1,
): Promise<LoadedSide> {
  const index = await openIndex(options.index[side], { report });
  const name = options.madeBy[side] ?? index.manifest.model.name;
  const model = await models.load(name).catch((error: unknown) => {
    if (!(error instanceof ClipInterpretError) || error.code !== "MODEL_NOT_FOUND") throw error;
    const hint = `${error.hint} Where it lies elsewhere, say so with --made-by, once for each --index.`;
    throw new ClipInterpretError("MODEL_NOT_FOUND", error.message, { hint, cause: error });
  });
  await requireModelOf(index, model);
  return { index, model, geometry: model.geometry, set: parseComponents(options.heads, model.geometry) };
}

const pathOf = (index: Index, row: number) => index.images[row].path;

/** A matrix [rows, columns] as rows. */
const rowsOf = ({ similarity, headsA, headsB }: Comparison): number[][] =>
  headsA.map((_, row) => Array.from(similarity.subarray(row * headsB.length, (row + 1) * headsB.length)));

function jsonOf(a: LoadedSide, b: LoadedSide, found: Comparison) {
  const side = ({ index, model }: LoadedSide, heads: readonly string[]) => ({
    ...{ model: model.name, weights: index.manifest.model.weights, precision: model.precision },
    ...{ index: index.folder, heads },
  });
  const { headsA, headsB, pairs, ...rest } = found;
  return {
    ...rest,
    ...{ a: side(a, headsA), b: side(b, headsB) },
    similarity: rowsOf(found),
    pairs: pairs.map(({ axis, ...pair }) => {
      const [most, least] = [axis.most, axis.least].map((rows) => rows.map((row) => pathOf(a.index, row)));
      return { ...pair, axis: { ...axis, most, least } };
    }),
  };
}

const SIDE = 112;

/** What is drawn; images are read only when there is something to draw. */
async function pictureOf(
  a: LoadedSide,
  b: LoadedSide,
  found: Comparison,
  withImages: boolean,
): Promise<HeadMatchInput> {
  const images = async (rows: readonly number[]) =>
    withImages
      ? Promise.all(rows.map((row) => thumbnail(join(a.index.manifest.root, pathOf(a.index, row)), SIDE)))
      : [];
  const notices = new Set([a, b].flatMap(({ model }) => modelNotice(model) ?? []));
  const mutual = found.bestOfA.flatMap(({ match, mutual: both, similarity }, row) =>
    both && similarity > found.chance.highest ? [{ a: row, b: found.headsB.indexOf(match) }] : [],
  );
  const pairs = await Promise.all(
    found.pairs.map(async ({ axis, ...pair }) => ({
      ...pair,
      axis: { ...axis, most: await images(axis.most), least: await images(axis.least) },
    })),
  );
  return {
    ...{ a: a.model.name, b: b.model.name, images: found.images, headsA: found.headsA, headsB: found.headsB },
    ...{ similarity: rowsOf(found), chance: found.chance, mutual, pairs },
    ...(notices.size > 0 && { notice: [...notices].join(" ") }),
  };
}
