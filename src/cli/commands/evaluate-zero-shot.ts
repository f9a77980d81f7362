import { type Command, Option } from "commander";
import { evaluateZeroShot } from "../../analysis/ablation/study.ts";
import { prepareZeroShot } from "../../analysis/zero-shot/problem.ts";
import { consistencySets } from "../../labels/consistency.ts";
import { loadProperties, unweighted } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type NamedSet, parseEdit, writtenSet } from "../../model/components.ts";

import { embedTexts } from "../../model/text-cache.ts";
import { REPLACEMENTS, type Replacement } from "../../results/accuracy.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { ablationHtml } from "../../views/ablation/page.ts";
import { ablationSvg } from "../../views/ablation/svg.ts";
import { ablationTerminal } from "../../views/ablation/terminal.ts";
import { addClassesOptions, type ClassesOptions, classesOf } from "../classes-options.ts";
import type { RunCommand } from "../command.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";
import { rootOption } from "../thumbnails.ts";

interface Options extends ClassesOptions {
  readonly index: string;
  readonly ablate: readonly string[];
  readonly labels?: string;
  readonly replacement: Replacement;
  readonly groups: readonly string[];
  readonly maxImages?: number;
  readonly random: number;
  readonly seed: number;
  readonly layers: boolean;
  readonly fullForward: boolean;
  readonly forwardImages: number;
  readonly root?: string;
  readonly out: readonly string[];
}

/** `evaluate zero-shot`: accuracy with and without components. */
export function addZeroShot(evaluate: Command, run: RunCommand): void {
  const command = evaluate
    .command("zero-shot")
    .description("zero-shot accuracy with and without components, beside as many random heads")
    .requiredOption("--index <index>", "an index of images with labels or factors");
  addClassesOptions(command)
    .option(
      "--ablate <set>",
      "components to ablate together, or single directions of heads (L3.H1@2); once or more",
      collect,
      [],
    )
    .option("--labels <file>", "labels of heads: names for --ablate, and heads of high and low consistency")
    .addOption(
      new Option("--replacement <kind>", "what takes the place of a direct effect")
        .choices(REPLACEMENTS)
        .default("mean"),
    )
    .option("--groups <factor>", "worst group of class × this factor; once or more", collect, [])
    .option("--max-images <n>", "most images, thinned evenly", wholeNumber(1))
    .option("--random <n>", "sets of random heads beside each row", wholeNumber(0, 100_000), 100)
    .option("--seed <n>", "chooses the random heads", wholeNumber(0), 0)
    .option("--no-layers", "leave out the rows by layer")
    .option(
      "--full-forward",
      "take the sets away inside the network too (runs the model on every image)",
      false,
    )
    .option("--forward-images <n>", "most images for --full-forward", wholeNumber(1), 500)
    .addOption(rootOption())
    .addOption(pictureOption())
    .action(
      run(async (context, options: Options) => {
        const { report, signal, streams, say, result } = context;
        checkPictures(options.out);
        const work = { report, signal };
        const { index, model } = await context.openIndex(options.index, options.root);
        const classSet = await classesOf(index, options);
        const sets = await setsOf(model, options);
        const problem = await prepareZeroShot(model, index, classSet, {
          groupBy: options.groups,
          ...(options.maxImages && { images: options.maxImages }),
          embed: (texts) => embedTexts(model, texts, work),
          ...work,
        });
        const { replacement, random, seed, layers, fullForward, forwardImages } = options;
        const found = await evaluateZeroShot(model, problem, sets, {
          ...{ replacement, random, seed, layers, ...work },
          ...(fullForward && { forwardImages }),
        });
        await writePictures(options.out, { svg: () => ablationSvg(found), html: () => ablationHtml(found) });
        result(found, () => ablationTerminal(found, { columns: streams.stdout.columns ?? 80 }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
}

/** The sets to be ablated: those named, and those of the labels' consistency. */
async function setsOf(model: ClipModel, { ablate, labels, fullForward }: Options): Promise<NamedSet[]> {
  const properties = ablate.length > 0 ? unweighted(await loadProperties(model, labels)) : {};
  const named = ablate.map((name) => ({
    name: writtenSet(name),
    set: parseEdit(name, model.geometry, properties),
  }));
  const sets = [...named, ...(labels ? await consistencySets(labels, model.geometry) : [])];
  if (fullForward && sets.length === 0) {
    throw new ClipInterpretError("USAGE", "--full-forward needs --ablate or --labels: it ablates sets alone");
  }
  return sets;
}
