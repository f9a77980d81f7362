import { Option } from "commander";
import { splitByCue } from "../../analysis/debias/cue-problem.ts";
import { debias } from "../../analysis/debias/debias.ts";
import { checkExports } from "../../analysis/debias/export-debiased.ts";
import { cueProbes, PLANTED_CUE, plantedClasses } from "../../analysis/debias/planted-bias.ts";
import type { ClassSet, EmbedTexts } from "../../analysis/zero-shot/classes.ts";
import { prepareZeroShot } from "../../analysis/zero-shot/problem.ts";
import type { Index } from "../../corpus/open-index.ts";
import { worldIndex } from "../../corpus/world-index.ts";
import { loadProperties, unweighted } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { parseEdit } from "../../model/components.ts";
import { embedTexts } from "../../model/text-cache.ts";
import { REPLACEMENTS, type Replacement } from "../../results/accuracy.ts";
import { SELECTIONS, type SelectionName } from "../../results/debias.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { debiasHtml } from "../../views/debias/page.ts";
import { debiasSvg } from "../../views/debias/svg.ts";
import { debiasTerminal } from "../../views/debias/terminal.ts";
import { addClassesOptions, type ClassesOptions, classesOf } from "../classes-options.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";

interface Options extends ClassesOptions {
  readonly index?: string;
  readonly cue?: string;
  readonly cueTemplate: readonly string[];
  readonly split?: string;
  readonly heads?: string;
  readonly labels?: string;
  readonly select?: SelectionName;
  readonly replacement: Replacement;
  readonly maxHeads?: number;
  readonly scenes: number;
  readonly random: number;
  readonly seed: number;
  readonly fullForward: boolean;
  readonly forwardImages: number;
  readonly export: readonly string[];
  readonly out: readonly string[];
}

/** `debias`: finds the heads that carry a cue, ablates them, says what that does, and exports the result. */
export const registerDebias: Register = (program, run) => {
  const command = program
    .command("debias")
    .description(
      "find the heads that carry a spurious cue, ablate them, and say what that does to the worst group",
    )
    .option(
      "--index <index>",
      "an index whose images have a class and a cue; without it, the bias planted in the embedded models",
    )
    .option("--cue <factor>", "the factor that the model takes for the class");
  addClassesOptions(command)
    .option(
      "--cue-template <text>",
      "a text with {} for a value of the cue; several are averaged",
      collect,
      [],
    )
    .option(
      "--split <factor>",
      "the factor whose values val and test are the halves; by default every other image of a group",
    )
    .option(
      "--heads <set>",
      "ablate these heads, or single directions of heads (L3.H1@2), whatever the measures say",
    )
    .option("--labels <file>", "labels of heads, whose names --heads may use")
    .addOption(
      new Option(
        "--select <way>",
        "how the heads that are used are chosen (default: selectivity, or --heads)",
      ).choices(SELECTIONS),
    )
    .addOption(
      new Option("--replacement <kind>", "what takes the place of a direct effect")
        .choices(REPLACEMENTS)
        .default("mean"),
    )
    .option("--max-heads <n>", "most heads (default: half of all, at most 16)", wholeNumber(1))
    .option("--scenes <n>", "scenes of the built-in example", wholeNumber(200, 1_000_000), 6000)
    .option("--random <n>", "sets of random heads to compare with", wholeNumber(0, 100_000), 100)
    .option("--seed <n>", "chooses the random heads", wholeNumber(0), 0)
    .option(
      "--full-forward",
      "take the heads away inside the network too (runs the model for every random set)",
      false,
    )
    .option("--forward-images <n>", "most held-out images for --full-forward", wholeNumber(1), 500)
    .option(
      "--export <path>",
      "write an image encoder (.onnx, direct effects to their means), or a model folder edited inside; once or more",
      collect,
      [],
    )
    .addOption(pictureOption())
    .action(
      run(async (context, options: Options) => {
        const { report, signal, streams, say, result } = context;
        checkPictures(options.out);
        checkExports(options.export);
        const work: WorkOptions = { report, signal };
        const { model, index, classSet, cue } = await taskOf(context, options);
        const embed: EmbedTexts = (texts) => embedTexts(model, texts, work);
        const grouped = await prepareZeroShot(model, index, classSet, { groupBy: [cue], embed, ...work });
        const problem = splitByCue(grouped, cue, options.split);
        const { heads, labels, replacement, random, seed, fullForward, forwardImages } = options;
        const found = await debias(model, problem, {
          ...{ replacement, random, seed, fullForward, forwardImages, exports: options.export, ...work },
          ...(options.maxHeads && { maxHeads: options.maxHeads }),
          ...(options.select && { use: options.select }),
          ...(heads !== undefined && {
            given: parseEdit(heads, model.geometry, unweighted(await loadProperties(model, labels))),
          }),
          cueProbes: await cueProbes(model, problem, options.cueTemplate, embed),
        });
        await writePictures(options.out, { svg: () => debiasSvg(found), html: () => debiasHtml(found) });
        result(found, () => debiasTerminal(found, { columns: streams.stdout.columns ?? 80 }));
        for (const path of found.exported) say(`exported: ${path}`);
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};

/** What to classify, and by what it must not be classified. */
async function taskOf(
  context: CommandContext,
  options: Options,
): Promise<{ model: ClipModel; index: Index; classSet: ClassSet; cue: string }> {
  const { index: folder, cue, classes, factor, split } = options;
  if (folder === undefined) {
    const others = { "--cue": cue, "--classes": classes, "--factor": factor, "--split": split };
    const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
    if (other) throw new ClipInterpretError("USAGE", `${other} needs an --index`);
    const { report, signal } = context;
    const model = await context.model();
    const index = await worldIndex(model, { split: "balanced", images: options.scenes, report, signal });
    return { model, index, classSet: plantedClasses(), cue: PLANTED_CUE };
  }
  if (cue === undefined) {
    throw new ClipInterpretError(
      "USAGE",
      "--index needs a --cue: the factor that the model takes for the class",
    );
  }
  const { index, model } = await context.openIndex(folder);
  return { model, index, classSet: await classesOf(index, options), cue };
}
