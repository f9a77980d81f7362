import { type Command, Option } from "commander";
import { ABLATIONS, type AblationMode } from "../../analysis/ablation/ablation.ts";
import { type ForwardStudy, studyForward } from "../../analysis/ablation/forward-study.ts";
import { type AblationStudy, studyAblation } from "../../analysis/ablation/study.ts";
import { prepareZeroShot } from "../../analysis/zero-shot/problem.ts";
import { openIndex, requireModelOf } from "../../corpus/open-index.ts";
import { consistencySets } from "../../labels/consistency.ts";
import { loadProperties } from "../../labels/properties.ts";
import { type NamedSet, parseComponents, writtenSet } from "../../model/components.ts";
import { embedTexts } from "../../model/text-cache.ts";
import { zeroShotResultSchema } from "../../results/zero-shot.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { type AblationPicture, ablationPageHtml, ablationSvg } from "../../views/ablation/svg.ts";
import { ablationText } from "../../views/ablation/terminal.ts";
import { addClassesOptions, type ClassesOptions, classesOf } from "../classes-options.ts";
import type { RunCommand } from "../command.ts";
import { modelNotice } from "../notices.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";

interface Options extends ClassesOptions {
  readonly index: string;
  readonly ablate: readonly string[];
  readonly labels?: string;
  readonly mode: AblationMode;
  readonly groups: readonly string[];
  readonly images?: number;
  readonly random: number;
  readonly seed: number;
  readonly layers: boolean;
  readonly fullForward: boolean;
  readonly forwardImages: number;
  readonly out: readonly string[];
}

/** `evaluate zero-shot`: accuracy with and without components. */
export function addZeroShot(evaluate: Command, run: RunCommand): void {
  const command = evaluate
    .command("zero-shot")
    .description("zero-shot accuracy with and without components, beside as many random heads")
    .requiredOption("--index <index>", "an index of images with labels or factors");
  addClassesOptions(command)
    .option("--ablate <set>", "components to ablate together; once or more", collect, [])
    .option("--labels <file>", "labels of heads: names for --ablate, and heads of high and low consistency")
    .addOption(
      new Option("--mode <mode>", "what takes the place of a direct effect")
        .choices(ABLATIONS)
        .default("mean"),
    )
    .option("--groups <factor>", "worst group of class × this factor; once or more", collect, [])
    .option("--images <n>", "most images, thinned evenly", wholeNumber(1))
    .option("--random <n>", "sets of random heads beside each row", wholeNumber(0, 100_000), 100)
    .option("--seed <n>", "chooses the random heads", wholeNumber(0), 0)
    .option("--no-layers", "leave out the rows by layer")
    .option(
      "--full-forward",
      "take the sets away inside the network too (runs the model on every image)",
      false,
    )
    .option("--forward-images <n>", "most images for --full-forward", wholeNumber(1), 500)
    .addOption(pictureOption())
    .action(
      run(async ({ globals, models, report, signal, streams, say, result }, options: Options) => {
        checkPictures(options.out);
        const work = { report, signal };
        const index = await openIndex(options.index, work);
        const model = await models.load(globals.model);
        await requireModelOf(index, model);
        const classSet = await classesOf(index, options);
        const sets = await setsOf(model, options);
        const problem = await prepareZeroShot(model, index, classSet, {
          groupBy: options.groups,
          ...(options.images && { images: options.images }),
          embed: (texts) => embedTexts(model, texts, work),
          ...work,
        });
        const { mode, random, seed, layers } = options;
        const study = await studyAblation(problem, sets, { mode, random, seed, layers, ...work });
        const forward = options.fullForward
          ? await studyForward(model, problem, sets, {
              replacement: mode === "mean" ? "position" : "nothing",
              ...{ images: options.forwardImages, random, seed, ...work },
            })
          : null;
        const facts = { classes: classSet.classes.length, images: problem.rows.length };
        const json = zeroShotResultSchema.parse({
          ...{ model: model.name, precision: model.precision, index: index.folder, factor: classSet.factor },
          ...{ ...facts, leftOut: index.images.length - problem.rows.length, ...study, forward },
        });
        const notice = modelNotice(model);
        const picture = pictureOf(model.name, facts, study, forward, notice);
        await writePictures(options.out, {
          svg: () => ablationSvg(picture),
          html: () => ablationPageHtml(picture),
        });
        result(json, () => ablationText(picture, { columns: streams.stdout.columns ?? 80 }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
}

/** The sets to be ablated: those named, and those of the labels' consistency. */
async function setsOf(
  model: Parameters<typeof loadProperties>[0] & { geometry: { layers: number; heads: number } },
  { ablate, labels, fullForward }: Options,
): Promise<NamedSet[]> {
  const properties = ablate.length > 0 ? await loadProperties(model, labels) : {};
  const named = ablate.map((name) => ({
    name: writtenSet(name),
    set: parseComponents(name, model.geometry, properties),
  }));
  const sets = [...named, ...(labels ? await consistencySets(labels, model.geometry) : [])];
  if (fullForward && sets.length === 0) {
    throw new ClipInterpretError("USAGE", "--full-forward needs --ablate or --labels: it ablates sets alone");
  }
  return sets;
}

function pictureOf(
  model: string,
  facts: { readonly classes: number; readonly images: number },
  { mode, whole, rows }: AblationStudy,
  forward: ForwardStudy | null,
  notice: string | undefined,
): AblationPicture {
  return {
    ...{ model, ...facts, mode, whole: { accuracy: whole.all, worst: whole.worst }, rows },
    ...{ chance: 1 / facts.classes, forward, ...(notice !== undefined && { notice }) },
  };
}
