import { extname } from "node:path";
import { Option } from "commander";
import { ABLATIONS, type AblationMode } from "../../analysis/ablation/ablation.ts";
import { type ForwardStudy, studyForward } from "../../analysis/ablation/forward-study.ts";
import { type SplitProblem, splitByCue } from "../../analysis/debias/cue-problem.ts";
import { type DebiasResult, debias, SELECTIONS, type SelectionName } from "../../analysis/debias/debias.ts";
import { PLANTED_CUE, plantedClasses, worldTexts } from "../../analysis/debias/planted-bias.ts";
import {
  type ClassSet,
  classProbes,
  type EmbedTexts,
  fillTemplate,
} from "../../analysis/zero-shot/classes.ts";
import { prepareZeroShot } from "../../analysis/zero-shot/problem.ts";
import { type Index, openIndex, requireModelOf } from "../../corpus/open-index.ts";
import { worldIndex } from "../../corpus/world-index.ts";
import { loadProperties } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { headName, parseComponents } from "../../model/components.ts";
import { embedTexts } from "../../model/text-cache.ts";
import { debiasResultSchema } from "../../results/zero-shot.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { debiasHtml, debiasSvg } from "../../views/debias/svg.ts";
import { debiasText } from "../../views/debias/terminal.ts";
import type { DebiasPicture } from "../../views/debias/words.ts";
import { addClassesOptions, type ClassesOptions, classesOf } from "../classes-options.ts";
import type { Register } from "../command.ts";
import { exportDebiased } from "../export-debiased.ts";
import { modelNotice } from "../notices.ts";
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
  readonly mode: AblationMode;
  readonly maxHeads?: number;
  readonly images: number;
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
    .option("--cue <factor>", "the factor that stands in for the class");
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
    .option("--heads <set>", "ablate these heads, whatever the measures say")
    .option("--labels <file>", "labels of heads, whose names --heads may use")
    .addOption(
      new Option(
        "--select <way>",
        "how the heads that are used are chosen (default: selectivity, or --heads)",
      ).choices(SELECTIONS),
    )
    .addOption(
      new Option("--mode <mode>", "what takes the place of a direct effect")
        .choices(ABLATIONS)
        .default("mean"),
    )
    .option("--max-heads <n>", "most heads (default: half of all, at most 16)", wholeNumber(1))
    .option("--images <n>", "scenes of the built-in example", wholeNumber(200, 1_000_000), 6000)
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
      run(async ({ globals, models, report, signal, streams, say, result }, options: Options) => {
        checkPictures(options.out);
        checkExports(options.export);
        const work: WorkOptions = { report, signal };
        const model = await models.load(globals.model);
        const { index, classSet, cue } = await taskOf(model, options, work);
        const embed: EmbedTexts = (texts) => embedTexts(model, texts, work);
        const given =
          options.heads === undefined ? undefined : await givenHeads(model, options.heads, options.labels);
        const grouped = await prepareZeroShot(model, index, classSet, { groupBy: [cue], embed, ...work });
        const problem = splitByCue(grouped, cue, options.split);
        const { mode, random, seed } = options;
        const found = await debias(model, problem, {
          ...{ mode, random, seed, ...work },
          ...(options.maxHeads && { maxHeads: options.maxHeads }),
          ...(options.select && { use: options.select }),
          ...(given && { given }),
          cueProbes: await cueProbes(model, cue, problem.cue.names, options.cueTemplate, embed),
        });
        const forward = await forwardStudies(model, problem, found, options, work);
        const exported = await exportDebiased(model, problem, found, options.export, work);
        const json = debiasResultSchema.parse({
          ...{
            model: model.name,
            precision: model.precision,
            index: index.folder,
            cue,
            factor: classSet.factor,
          },
          ...{ ...found, forward, exported },
        });
        const notice = modelNotice(model);
        const { layers, heads } = model.geometry;
        const names = Array.from({ length: layers * heads }, (_, unit) =>
          headName(Math.floor(unit / heads), unit % heads),
        );
        const picture: DebiasPicture = {
          ...{ model: model.name, cue, ...found, forward, headNames: names },
          ...(notice !== undefined && { notice }),
        };
        await writePictures(options.out, { svg: () => debiasSvg(picture), html: () => debiasHtml(picture) });
        result(json, () => debiasText(picture, { columns: streams.stdout.columns ?? 80 }));
        for (const path of exported) say(`exported: ${path}`);
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};

/** Refuses, before any work, what nothing can be exported to. */
function checkExports(paths: readonly string[]): void {
  for (const path of paths) {
    const extension = extname(path).toLowerCase();
    if (extension !== ".onnx" && extension !== "") {
      const hint =
        "Name an .onnx file, or a folder for an edited model: its weights are the safetensors in it.";
      throw new ClipInterpretError("USAGE", `--export ${path} is neither an .onnx file nor a folder`, {
        hint,
      });
    }
  }
}

/** What is to be classified, and by what it must not be. */
async function taskOf(
  model: ClipModel,
  options: Options,
  work: WorkOptions,
): Promise<{ index: Index; classSet: ClassSet; cue: string }> {
  const { index: folder, cue, classes, factor, split } = options;
  if (folder === undefined) {
    const others = { "--cue": cue, "--classes": classes, "--factor": factor, "--split": split };
    const [other] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
    if (other) throw new ClipInterpretError("USAGE", `${other} needs an --index`);
    const index = await worldIndex(model, { split: "balanced", images: options.images, ...work });
    return { index, classSet: plantedClasses(), cue: PLANTED_CUE };
  }
  if (cue === undefined) {
    throw new ClipInterpretError("USAGE", "--index needs a --cue: the factor that stands in for the class");
  }
  const index = await openIndex(folder, work);
  await requireModelOf(index, model);
  return { index, classSet: await classesOf(index, options), cue };
}

/** The heads that were named, in the order of the model. */
async function givenHeads(model: ClipModel, set: string, labels: string | undefined): Promise<number[]> {
  const parsed = parseComponents(set, model.geometry, await loadProperties(model, labels));
  if (parsed.mlps.length > 0 || parsed.heads.some(({ weight }) => weight !== 1)) {
    throw new ClipInterpretError("HEADS_INVALID", "--heads takes whole heads, no MLPs and no weights");
  }
  return parsed.heads.map(({ layer, head }) => layer * model.geometry.heads + head);
}

/** One probe a value of the cue, from the templates, else the world's own texts, else the bare value. */
async function cueProbes(
  model: ClipModel,
  cue: string,
  values: readonly string[],
  templates: readonly string[],
  embed: EmbedTexts,
): Promise<Float64Array[]> {
  const classes = values.map((name) => ({
    ...{ name, values: [name], contest: null },
    texts:
      templates.length > 0
        ? templates.map((template) => fillTemplate(template, name))
        : (worldTexts(cue, name) ?? [name]),
  }));
  const { embedDim } = model.config;
  const probes = await classProbes({ classes }, embedDim, embed);
  return values.map((_, i) => probes.subarray(i * embedDim, (i + 1) * embedDim));
}

/** The used heads inside the network: with random ones where that was asked for, and as an exported folder will be. */
async function forwardStudies(
  model: ClipModel,
  problem: SplitProblem,
  { selections, used }: DebiasResult,
  { fullForward, forwardImages, export: exports, mode, random, seed }: Options,
  work: WorkOptions,
): Promise<ForwardStudy[]> {
  const { chosen } = selections[used];
  if (chosen.length === 0) return [];
  const set = parseComponents(chosen.join(), model.geometry);
  const study = (replacement: ForwardStudy["replacement"], draws: number) =>
    studyForward(model, problem, [{ name: chosen.join(" "), set }], {
      ...{ replacement, images: forwardImages, random: draws, sameLayers: true, seed, ...work },
      ...{ at: problem.testAt, meanOver: problem.validationAt },
    });
  const studies: ForwardStudy[] = [];
  if (fullForward) {
    studies.push(await study(mode === "mean" ? "position" : "nothing", random));
    if (mode === "mean") studies.push(await study("nothing", 0));
  }
  const folder = exports.some((path) => extname(path) === "");
  if (folder && mode === "mean") studies.push(await study("tokens", 0));
  else if (folder && !fullForward) studies.push(await study("nothing", 0));
  return studies;
}
