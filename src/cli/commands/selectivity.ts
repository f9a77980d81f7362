import {
  measureSelectivity,
  type SelectivityResult,
  selectiveHeads,
} from "../../analysis/selectivity/selectivity.ts";
import { type Index, openIndex, requireModelOf } from "../../corpus/open-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { selectivityResultSchema } from "../../results/selectivity.ts";
import { writeWhole } from "../../support/files.ts";
import { selectivityMatrixHtml } from "../../views/selectivity/page.ts";
import { selectivityMatrixSvg } from "../../views/selectivity/svg.ts";
import { selectivityMatrixText } from "../../views/selectivity/terminal.ts";
import type { SelectivityMatrixInput } from "../../views/selectivity/words.ts";
import type { Register } from "../command.ts";
import { modelNotice } from "../notices.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { wholeNumber } from "../strings.ts";

interface SelectivityOptions {
  readonly index: string;
  readonly permutations: number;
  readonly seed: number;
  readonly saveHeads?: string;
  readonly out: readonly string[];
}

/** `selectivity --index INDEX`: which head knows which factor. */
export const registerSelectivity: Register = (program, run) => {
  program
    .command("selectivity")
    .description("measure how much of every head's variance each known factor explains, beyond chance")
    .requiredOption("--index <index>", "an index of images with labels or factors")
    .option("--permutations <n>", "random permutations to compare with", wholeNumber(1, 1000), 20)
    .option("--seed <n>", "chooses the permutations", wholeNumber(0), 0)
    .option("--save-heads <file>", "write each factor's three best heads, for `neighbors --labels`")
    .addOption(pictureOption())
    .action(
      run(async (context, options: SelectivityOptions) => {
        const { globals, models, report, signal, streams, say, result } = context;
        checkPictures(options.out);
        const index = await openIndex(options.index, { report });
        const model = await models.load(globals.model);
        await requireModelOf(index, model);
        const { permutations, seed } = options;
        const found = await measureSelectivity(index, model.geometry, { permutations, seed, report, signal });
        const { name, precision } = model;
        const json = selectivityResultSchema.parse({
          ...{ model: name, precision, index: index.folder, images: index.images.length },
          ...found,
        });
        if (options.saveHeads !== undefined) {
          const heads = Object.entries(selectiveHeads(found, 3)).filter(([, names]) => names.length > 0);
          await writeWhole(options.saveHeads, `${JSON.stringify(Object.fromEntries(heads), null, 2)}\n`);
        }
        const picture = matrixOf(model, index, found);
        await writePictures(options.out, {
          svg: () => selectivityMatrixSvg(picture),
          html: () => selectivityMatrixHtml(picture),
        });
        result(json, () => selectivityMatrixText(picture, { columns: streams.stdout.columns ?? 80 }));
        if (options.saveHeads !== undefined) say(`heads written: ${options.saveHeads}`);
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};

function matrixOf(model: ClipModel, index: Index, found: SelectivityResult): SelectivityMatrixInput {
  const notice = modelNotice(model);
  return {
    model: model.name,
    images: index.images.length,
    factors: found.factors.map(({ name, values: levels, images }) => ({ name, levels, images })),
    components: found.components.map(({ name, factors }) => ({
      name,
      shares: factors.map(({ share }) => share),
      significant: factors.map(({ explained, highestByChance }) => explained > highestByChance),
    })),
    ...(notice !== undefined && { notice }),
  };
}
