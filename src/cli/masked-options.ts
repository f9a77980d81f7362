/** Images with masks, and which heads read them, as options of the commands that evaluate maps. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import {
  corpusMasks,
  loadClasses,
  type MaskedImage,
  type MaskedImages,
  pairMasks,
} from "../analysis/segmentation/masked-images.ts";
import type { Neuron } from "../checkpoint/model-config.ts";
import { loadProperties } from "../labels/properties.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { type NamedSet, parseComponents, writtenSet } from "../model/components.ts";
import { isEmbedded } from "../model/embedded.ts";
import { parseNeurons } from "../model/notices.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { DEMO, planCorpus, worldFolder, writeCorpus } from "../world/corpus.ts";
import type { CommandContext } from "./context.ts";
import { collect, wholeNumber } from "./strings.ts";

/** What the options say. */
export interface MaskedOptions {
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
  readonly registers?: readonly Neuron[];
}

/** Adds the options to a command. */
export const addMaskedOptions = (command: Command): Command =>
  command
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
    .addOption(registersOption());

/** `--registers <neurons>`: what a register takes. */
export const registersOption = (): Option =>
  new Option(
    "--registers <neurons>",
    "neurons that write into a register, which no map shows, instead of patches: L3.N17,L5.N2 (see `registers`)",
  ).argParser(parseNeurons);

/** The model that was named, with a register where one is asked for. */
export const modelWith = (
  context: Pick<CommandContext, "model" | "models" | "modelName">,
  registers: readonly Neuron[] | undefined,
): Promise<ClipModel> =>
  registers ? context.models.load(context.modelName, { registers }) : context.model();

/** The images, no more than `--limit`, and the sets of heads. @throws `USAGE` */
export async function maskedData(
  context: Pick<CommandContext, "report" | "signal">,
  model: ClipModel,
  options: MaskedOptions,
): Promise<{ data: MaskedImages; images: readonly MaskedImage[]; sets: NamedSet[] }> {
  const data = await dataOf(context, model, options);
  return { data, images: data.images.slice(0, options.limit), sets: await setsOf(model, options) };
}

async function dataOf(
  { report, signal }: Pick<CommandContext, "report" | "signal">,
  model: ClipModel,
  { corpus, images, masks, classes, template }: MaskedOptions,
): Promise<MaskedImages> {
  if (corpus !== undefined) {
    if (images !== undefined || masks !== undefined || classes !== undefined)
      throw new ClipInterpretError("USAGE", "a --corpus brings its own images, masks and classes");
    if (corpus !== "demo") return corpusMasks(resolve(corpus));
    return { ...(await corpusMasks(await demoCorpus({ report, signal }))), source: "the demo corpus" };
  }
  if (images === undefined || masks === undefined || classes === undefined)
    throw new ClipInterpretError("USAGE", "give --corpus, or --images, --masks and --classes");
  const templates = template.length > 0 ? template : defaultTemplates(model, ["a photo of a {}."]);
  requirePlaces(templates);
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

/** Refuses texts without a place for a name. @throws `USAGE` */
export function requirePlaces(templates: readonly string[]): void {
  const without = templates.find((text) => !text.includes("{}"));
  if (without !== undefined) throw new ClipInterpretError("USAGE", `--template "${without}" has no {}`);
}

/** How the captions of the embedded models' world name a thing, or what names it for models of the web. */
export const defaultTemplates = (model: ClipModel, others: readonly string[]): readonly string[] =>
  isEmbedded(model.name) ? ["{}", "a {}", "a picture of a {}"] : others;

/** The sets of heads that are asked for, or all heads and the last layers'. */
export async function setsOf(
  model: ClipModel,
  { heads, labels }: Pick<MaskedOptions, "heads" | "labels">,
): Promise<NamedSet[]> {
  const properties = await loadProperties(model, labels);
  const { layers } = model.geometry;
  const names = heads.length > 0 ? heads : ["all", `last${Math.min(4, layers - 1)}`];
  return names.map((name) => ({
    name: writtenSet(name),
    set: parseComponents(name, model.geometry, properties),
  }));
}
