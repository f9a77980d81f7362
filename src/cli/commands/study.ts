import { join, resolve } from "node:path";
import { thumbnailOf } from "../../corpus/thumbnails.ts";
import type { thumbnail } from "../../image/thumbnail.ts";
import { EMBEDDED_MODELS } from "../../model/embedded.ts";
import { runStudy, STUDY_DEFAULTS, type Study } from "../../study/run-study.ts";
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
import { modelsAndIndexes } from "../study-inputs.ts";
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
      const { out } = options;
      const labelling = await labellingOf(options, process.env);
      const { models, indexes } = await modelsAndIndexes(options, loader, EMBEDDED_MODELS);
      const folder = resolve(out);
      const study = await runStudy({
        ...settingsOf(options),
        ...(labelling && { labelling }),
        ...{ models, indexes, loader, report, signal },
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

/** Small pictures of the images that are shown; those that cannot be read are left out with a warning. */
async function drawThumbnails(
  { result: { models }, imageRoots }: Study,
  { report, signal }: WorkOptions,
): Promise<Thumbnails> {
  const paths = new Map(
    models.flatMap(({ origin, heads }) =>
      heads.flatMap(({ images }) =>
        images.map(({ sha256, path }) => [sha256, [imageRoots[origin.model.name], path]] as const),
      ),
    ),
  );
  const drawn = new Map<string, NonNullable<Awaited<ReturnType<typeof thumbnail>>>>();
  const gone: string[] = [];
  for (const [sha256, [root, path]] of paths) {
    checkCancelled(signal);
    const small = await thumbnailOf(root, path, THUMBNAIL);
    if (small) drawn.set(sha256, small);
    else gone.push(path);
  }
  if (gone.length > 0) {
    const message = `${gone.length} pictures cannot be read any more, so they are not shown: ${gone.slice(0, 3).join(", ")}${gone.length > 3 ? ", …" : ""}; if they moved, run \`index\` on the folder where they lie now`;
    report?.({ type: "warning", code: "IMAGES_MISSING", message });
  }
  return drawn;
}
