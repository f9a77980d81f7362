import { resolve } from "node:path";
import type { Command } from "commander";
import { chooseUnits, evaluateSegmentation } from "../../analysis/segmentation/evaluate.ts";
import {
  corpusMasks,
  loadClasses,
  type MaskedImages,
  pairMasks,
} from "../../analysis/segmentation/masked-images.ts";
import { loadProperties } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type NamedSet, parseComponents, writtenSet } from "../../model/components.ts";
import { isEmbedded } from "../../model/registry.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { segmentationSheetHtml } from "../../views/segmentation-sheet/page.ts";
import { segmentationSheetSvg } from "../../views/segmentation-sheet/svg.ts";
import { segmentationSheetTerminal } from "../../views/segmentation-sheet/terminal.ts";
import { DEMO, planCorpus, worldFolder, writeCorpus } from "../../world/corpus.ts";
import type { RunCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { sheetPictures } from "../segmentation-sheet.ts";
import { collect, wholeNumber } from "../strings.ts";

interface EvaluateOptions {
  readonly corpus?: string;
  readonly images?: string;
  readonly masks?: string;
  readonly classes?: string;
  readonly template: readonly string[];
  readonly heads: readonly string[];
  readonly labels?: string;
  readonly limit?: number;
  readonly bootstrap: number;
  readonly seed: number;
  readonly exif: boolean;
  readonly out: readonly string[];
}

/** `evaluate segmentation`: maps against masks, by the protocol of the base paper. */
export function registerEvaluateSegmentation(evaluate: Command, run: RunCommand): void {
  evaluate
    .command("segmentation")
    .description("pixel accuracy, mIoU and mAP of maps where masks are known, beside other methods'")
    .option("--corpus <folder>", "a corpus that `demo` wrote, or `demo` for the default one")
    .option("--images <folder>", "images, each with a mask of its name")
    .option("--masks <folder>", "masks: one number a pixel, gray or palette")
    .option(
      "--classes <file>",
      "what the numbers are: .yaml or .json; or .txt for binary masks in class folders",
    )
    .option(
      "--template <text>",
      "a text that names a class, with {} for its name; several are averaged",
      collect,
      [],
    )
    .option(
      "--heads <set>",
      "a set of heads to evaluate, the first to compare with; once or more",
      collect,
      [],
    )
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .option("--limit <n>", "only the first n images", wholeNumber(1))
    .option("--bootstrap <n>", "resamples for the intervals", wholeNumber(10, 100_000), 1000)
    .option("--seed <n>", "chooses the resamples", wholeNumber(0), 0)
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .addOption(pictureOption())
    .action(
      run(async (context: CommandContext, options: EvaluateOptions) => {
        const { report, signal, streams, result, say } = context;
        checkPictures(options.out);
        const model = await context.model();
        const data = await dataOf(context, model, options);
        const images = data.images.slice(0, options.limit);
        const sets = await setsOf(model, options);
        const { exif, bootstrap: draws, seed } = options;
        const found = await evaluateSegmentation(model, { ...data, images }, sets, {
          ...{ exif, draws, seed, report, signal },
        });
        if (options.out.length > 0) {
          const units = chooseUnits(found.units).map(({ unit }) => unit);
          const pictures = await sheetPictures(model, data, units, sets[0], { exif, signal });
          await writePictures(options.out, {
            svg: () => segmentationSheetSvg(found.result, pictures),
            html: () => segmentationSheetHtml(found.result, pictures),
          });
        }
        const { columns = 80 } = streams.stdout;
        result(found.result, () => segmentationSheetTerminal(found.result, { columns }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
}

async function dataOf(
  { report, signal }: CommandContext,
  model: ClipModel,
  { corpus, images, masks, classes, template }: EvaluateOptions,
): Promise<MaskedImages> {
  if (corpus !== undefined) {
    if (images !== undefined || masks !== undefined || classes !== undefined)
      throw new ClipInterpretError("USAGE", "a --corpus brings its own images, masks and classes");
    if (corpus !== "demo") return corpusMasks(resolve(corpus));
    return { ...(await corpusMasks(await demoCorpus({ report, signal }))), source: "the demo corpus" };
  }
  if (images === undefined || masks === undefined || classes === undefined)
    throw new ClipInterpretError("USAGE", "give --corpus, or --images, --masks and --classes");
  const templates = template.length > 0 ? template : defaultTemplates(model);
  const without = templates.find((text) => !text.includes("{}"));
  if (without !== undefined) throw new ClipInterpretError("USAGE", `--template "${without}" has no {}`);
  return pairMasks(images, masks, await loadClasses(classes), templates, { report });
}

/** The corpus that `demo` writes when nothing else is asked for; drawn where it is not there yet. */
async function demoCorpus(work: Pick<CommandContext, "report" | "signal">): Promise<string> {
  const indices = Array.from({ length: DEMO.images }, (_, i) => i);
  const plan = await planCorpus({ split: DEMO.split, size: DEMO.size, indices });
  const folder = worldFolder(plan, process.env);
  await writeCorpus(folder, plan, work);
  return folder;
}

/** How the captions of the embedded models' world name a thing, or those of the web. */
const defaultTemplates = (model: ClipModel): readonly string[] =>
  isEmbedded(model.name) ? ["{}", "a {}", "a picture of a {}"] : ["a photo of a {}."];

async function setsOf(model: ClipModel, { heads, labels }: EvaluateOptions): Promise<NamedSet[]> {
  const properties = await loadProperties(model, labels);
  const { layers } = model.geometry;
  const names = heads.length > 0 ? heads : ["all", `last${Math.min(4, layers - 1)}`];
  return names.map((name) => ({
    name: writtenSet(name),
    set: parseComponents(name, model.geometry, properties),
  }));
}
