import { join, resolve } from "node:path";
import { modelOfIndex } from "../../corpus/index-model.ts";
import { thumbnail } from "../../image/thumbnail.ts";
import { EMBEDDED_MODELS, type ModelLoader, whatFinds } from "../../model/registry.ts";
import { runStudy, STUDY_DEFAULTS, type Study } from "../../study/run-study.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { studyHeadsCsv, studyMetricsCsv } from "../../views/study/csv.ts";
import type { Thumbnails } from "../../views/study/heads.ts";
import { studyMarkdown } from "../../views/study/markdown.ts";
import { studyHtml } from "../../views/study/page.ts";
import { studyTerminal } from "../../views/study/words.ts";
import type { Register } from "../command.ts";
import { addLlmOptions } from "../llm-options.ts";
import { collect, wholeNumber } from "../strings.ts";
import { labellingOf, type StudyLabellerOptions } from "../study-labelling.ts";

interface StudyCliOptions extends StudyLabellerOptions {
  readonly models?: string;
  readonly images?: string;
  readonly index: readonly string[];
  readonly texts?: string;
  readonly heads: string;
  readonly iterations: number;
  readonly blocks: number;
  readonly resamples: number;
  readonly draws: number;
  readonly permutations: number;
  readonly seed: number;
  readonly out: string;
}

/** Side of the pictures of images in the report. */
const THUMBNAIL = 56;

/** `study --out REPORT/`: several models through the same steps, one report. */
export const registerStudy: Register = (program, run) => {
  const { heads, iterations, blocks, resamples, draws, permutations, seed } = STUDY_DEFAULTS;
  const command = program
    .command("study")
    .description("describe, label and measure the heads of several models, and write one report")
    .option(
      "--models <list>",
      "names, hub ids or folders, with commas between (default: the embedded models)",
    )
    .option("--images <input>", "a folder or list of images to index (default: the demo corpus)")
    .option(
      "--index <[model=]index>",
      "an index; by default of the model that made it, which is studied; once a model at most",
      collect,
      [],
    )
    .option("--texts <pool>", "a pool's name or file (default: the one for each model)")
    .option("--heads <set>", "heads to analyse", heads)
    .option("--iterations <n>", "texts shown of each head", wholeNumber(5, 100), iterations)
    .option("--blocks <n>", "parts that the images are dealt into", wholeNumber(32, 10_000), blocks)
    .option("--resamples <n>", "times that the images are drawn again", wholeNumber(1, 10_000), resamples)
    .option("--draws <n>", "draws of each baseline", wholeNumber(1, 100_000), draws)
    .option("--permutations <n>", "permutations of the factors", wholeNumber(1, 1000), permutations)
    .option("--seed <n>", "chooses all that is drawn", wholeNumber(0), seed)
    .option(
      "--labeller <who>",
      "who names: tags of the pool, llm, published, or a file that `label` wrote",
      "tags",
    )
    .option("--synonyms <file>", "words for the pool's tags (.json), for labels that are not of tags")
    .option(
      "--llm-draws <n>",
      "resamples, and draws of each baseline, that a language model is asked about",
      wholeNumber(1, 1000),
      20,
    )
    .requiredOption("--out <folder>", "where the report goes; finished steps are kept there too");
  addLlmOptions(command).action(
    run(async (context, options: StudyCliOptions) => {
      const { models: loader, globals, report, signal, say, result, called } = context;
      const { models, index: given, out } = options;
      const labelling = await labellingOf(options, process.env);
      const { indexes, makers } = await indexesOf(given, loader);
      const folder = resolve(out);
      const study = await runStudy({
        ...settingsOf(options),
        ...(labelling && { labelling }),
        models: models !== undefined ? namesIn(models) : makers.length > 0 ? makers : EMBEDDED_MODELS,
        ...{ indexes, loader, report, signal },
        stepsFolder: join(folder, "steps"),
        threads: globals.threads,
      });
      const thumbnails = await drawThumbnails(study, { report, signal });
      const { result: studied } = study;
      const files = {
        "index.html": studyHtml(studied, thumbnails),
        "study.json": `${JSON.stringify(studied, null, 1)}\n`,
        "study.md": studyMarkdown(studied),
        "metrics.csv": studyMetricsCsv(studied),
        "heads.csv": studyHeadsCsv(studied),
      };
      for (const [name, data] of Object.entries(files)) await writeWhole(join(folder, name), data);
      result(studied, () => studyTerminal(studied));
      say(`\nwritten: ${Object.keys(files).join(", ")} in ${folder}`);
      say(`In the app: ${called} serve --report ${out}`);
    }),
  );
};

/** The options that a study itself has. */
function settingsOf({ images, texts, heads, iterations, blocks, resamples, ...more }: StudyCliOptions) {
  const { draws, permutations, seed } = more;
  return {
    ...{ heads, iterations, blocks, resamples, draws, permutations, seed },
    ...(images !== undefined && { images }),
    ...(texts !== undefined && { texts }),
  };
}

function namesIn(list: string): string[] {
  const names = list.split(",").map((name) => name.trim());
  if (names.some((name) => name === ""))
    throw new ClipInterpretError("USAGE", `--models ${list} has an empty name`);
  return names;
}

/** Indexes by the models that are studied with them, and the models that were not named but made one. */
async function indexesOf(given: readonly string[], loader: ModelLoader) {
  const indexes: Record<string, string> = {};
  const makers: string[] = [];
  for (const value of given) {
    const at = value.indexOf("=");
    if (at === 0 || at === value.length - 1)
      throw new ClipInterpretError("USAGE", `--index ${value} is neither an index nor MODEL=INDEX`);
    const model = at < 0 ? await makerOf(value, loader) : value.slice(0, at);
    if (model in indexes) throw new ClipInterpretError("USAGE", `--index names ${model} twice`);
    indexes[model] = value.slice(at + 1);
    if (at < 0) makers.push(model);
  }
  return { indexes, makers };
}

/** What loads the model that made an index. */
async function makerOf(folder: string, loader: ModelLoader): Promise<string> {
  const model = await modelOfIndex(folder, loader);
  if (!model) throw new ClipInterpretError("INDEX_INVALID", `no index in ${folder}`);
  return whatFinds(model);
}

/** Small pictures of the images that are shown; those that cannot be read are left out with a warning. */
async function drawThumbnails(
  { result: { models }, imageRoots }: Study,
  { report, signal }: WorkOptions,
): Promise<Thumbnails> {
  const paths = new Map(
    models.flatMap(({ origin, heads }) =>
      heads.flatMap(({ images }) =>
        images.map(({ sha256, path }) => [sha256, join(imageRoots[origin.model.name], path)] as const),
      ),
    ),
  );
  const drawn = new Map<string, NonNullable<Awaited<ReturnType<typeof thumbnail>>>>();
  const gone: string[] = [];
  for (const [sha256, path] of paths) {
    checkCancelled(signal);
    const small = await thumbnail(path, THUMBNAIL);
    if (small) drawn.set(sha256, small);
    else gone.push(path);
  }
  if (gone.length > 0) {
    const message = `${gone.length} pictures cannot be read any more, so they are not shown: ${gone.slice(0, 3).join(", ")}${gone.length > 3 ? ", …" : ""}; if they moved, run \`index\` on the folder where they lie now`;
    report?.({ type: "warning", code: "IMAGES_MISSING", message });
  }
  return drawn;
}
