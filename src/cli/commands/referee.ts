import { join, resolve } from "node:path";
import { llmLabeller } from "../../labeling/llm-labeller.ts";
import { readSynonyms } from "../../labeling/synonym-map.ts";
import { EMBEDDED_MODELS } from "../../model/embedded.ts";
import type { RefereeLlm } from "../../referee/given.ts";
import { REFEREE_DEFAULTS, runReferee } from "../../referee/run-referee.ts";
import { writeWhole } from "../../support/files.ts";
import { svgToPng } from "../../views/kit/png.ts";
import { refereeHeadsCsv, refereeMethodsCsv } from "../../views/referee/csv.ts";
import { refereeMarkdown } from "../../views/referee/markdown.ts";
import { refereeHtml } from "../../views/referee/page.ts";
import { refereeSvg } from "../../views/referee/svg.ts";
import { refereeTerminal } from "../../views/referee/words.ts";
import type { Register } from "../command.ts";
import { addLlmOptions, createLlms, type LlmCliOptions } from "../llm-options.ts";
import { collect, wholeNumber } from "../strings.ts";
import { modelsAndIndexes } from "../study-inputs.ts";

interface RefereeCliOptions extends LlmCliOptions {
  readonly models?: string;
  readonly images?: string;
  readonly index: readonly string[];
  readonly texts?: string;
  readonly heads: string;
  readonly labels: readonly string[];
  readonly synonyms?: string;
  readonly halvings: number;
  readonly permutations: number;
  readonly seed: number;
  readonly out: string;
}

/** `referee --out REPORT/`: ways to say what heads do, judged by known truth. */
export const registerReferee: Register = (program, run) => {
  const { heads, halvings, permutations, seed } = REFEREE_DEFAULTS;
  const command = program
    .command("referee")
    .description("judge ways to say what heads do, on images whose factors are known, and write one report")
    .option(
      "--models <list>",
      "names, hub ids or folders, with commas between (default: the embedded models)",
    )
    .option("--images <input>", "a folder or list of images with known factors (default: the demo corpus)")
    .option(
      "--index <[model=]index>",
      "an index; by default of the model that made it, which is judged; once a model at most",
      collect,
      [],
    )
    .option("--texts <pool>", "a pool's name or file, with tags (default: the one for each model)")
    .option("--heads <set>", "heads to judge", heads)
    .option("--labels <file>", "labels, as one more method; once or more", collect, [])
    .option("--synonyms <file>", "words for the pool's tags (.json), for labels that are not of tags")
    .option("--halvings <n>", "times that images, and texts, are halved", wholeNumber(1, 1000), halvings)
    .option(
      "--permutations <n>",
      "times that labels are dealt out again",
      wholeNumber(1, 100_000),
      permutations,
    )
    .option("--seed <n>", "chooses all that is drawn", wholeNumber(0), seed)
    .requiredOption("--out <folder>", "where the report goes; finished steps are kept there too");
  addLlmOptions(command).action(
    run(async (context, options: RefereeCliOptions) => {
      const { models: loader, globals, report, signal, say, result } = context;
      const { out, images, texts, labels, synonyms } = options;
      const { models, indexes } = await modelsAndIndexes(options, loader, EMBEDDED_MODELS);
      const llm = await llmOf(options);
      const folder = resolve(out);
      const judged = await runReferee({
        ...{ models, indexes, loader, labels, report, signal, threads: globals.threads },
        ...{ heads: options.heads, halvings: options.halvings },
        ...{ permutations: options.permutations, seed: options.seed },
        ...(images !== undefined && { images }),
        ...(texts !== undefined && { texts }),
        ...(llm && { llm }),
        ...(synonyms !== undefined && { synonyms: await readSynonyms(synonyms) }),
        stepsFolder: join(folder, "steps"),
      });
      const files = {
        "index.html": refereeHtml(judged),
        "referee.json": `${JSON.stringify(judged, null, 1)}\n`,
        "referee.md": refereeMarkdown(judged),
        "methods.csv": refereeMethodsCsv(judged),
        "heads.csv": refereeHeadsCsv(judged),
        "referee.png": await svgToPng(refereeSvg(judged)),
      };
      for (const [name, data] of Object.entries(files)) await writeWhole(join(folder, name), data);
      result(judged, () => refereeTerminal(judged));
      say(`\nwritten: ${Object.keys(files).join(", ")} in ${folder}`);
    }),
  );
};

/** Who names TEXTSPAN's texts, where a server is given. */
async function llmOf(options: LlmCliOptions): Promise<RefereeLlm | undefined> {
  const { llmUrl, llmModel, llmConcurrency: concurrency, keepGoing } = options;
  if (llmUrl === undefined && llmModel === undefined) return undefined;
  const { llm, prompts } = await createLlms(options, true, process.env);
  return { labeller: llmLabeller(llm, prompts), concurrency, keepGoing };
}
