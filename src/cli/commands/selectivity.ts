import { extname } from "node:path";
import { measureSelectivity, type SelectivityResult, selectiveHeads } from "../../analysis/selectivity.ts";
import { selectivityResultSchema } from "../../contract/selectivity.ts";
import { type Index, openIndex, requireModelOf } from "../../corpus/open-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeOutput } from "../../support/files.ts";
import { svgToPng } from "../../views/png.ts";
import type { SelectivityMatrixInput } from "../../views/selectivity-components.ts";
import { selectivityMatrixSvg } from "../../views/selectivity-map.ts";
import { selectivityMatrixHtml } from "../../views/selectivity-page.ts";
import { selectivityMatrixText } from "../../views/selectivity-text.ts";
import type { Register } from "../command.ts";
import { modelNotice } from "../notices.ts";
import { wholeNumber } from "../strings.ts";

interface SelectivityOptions {
  readonly index: string;
  readonly permutations: number;
  readonly seed: number;
  readonly saveHeads?: string;
  readonly out: readonly string[];
}

const collect = (value: string, known: readonly string[]) => [...known, value];
const PICTURES = [".html", ".png", ".svg"];

/** `selectivity --index INDEX`: which head knows which factor. */
export const registerSelectivity: Register = (program, run) => {
  program
    .command("selectivity")
    .description("measure how much of every head's variance each known factor explains, beyond chance")
    .requiredOption("--index <index>", "an index of images with labels or factors")
    .option("--permutations <n>", "random permutations to compare with", wholeNumber(1, 1000), 20)
    .option("--seed <n>", "chooses the permutations", wholeNumber(0), 0)
    .option("--save-heads <file>", "write each factor's three best heads, for `neighbors --labels`")
    .option("--out <file>", "draw it: .html, .png or .svg; once or more", collect, [])
    .action(
      run(async (context, options: SelectivityOptions) => {
        const { globals, models, report, signal, streams, say, result } = context;
        for (const path of options.out) {
          if (PICTURES.includes(extname(path).toLowerCase())) continue;
          throw new ClipInterpretError("USAGE", `--out ${path} is none of ${PICTURES.join(", ")}`);
        }
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
          await writeOutput(options.saveHeads, `${JSON.stringify(Object.fromEntries(heads), null, 2)}\n`);
        }
        const picture = matrixOf(model, index, found);
        for (const path of options.out) await writePicture(path, picture);
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

async function writePicture(path: string, picture: SelectivityMatrixInput): Promise<void> {
  switch (extname(path).toLowerCase()) {
    case ".html":
      return writeOutput(path, selectivityMatrixHtml(picture));
    case ".svg":
      return writeOutput(path, selectivityMatrixSvg(picture));
    default:
      return writeOutput(path, await svgToPng(selectivityMatrixSvg(picture)));
  }
}
