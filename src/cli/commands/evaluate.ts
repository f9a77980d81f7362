import { Option } from "commander";
import { measureRetrieval } from "../../analysis/neighbors/retrieval.ts";
import { weightedName } from "../../model/components.ts";
import type { RetrievalResult } from "../../results/retrieval.ts";
import { defaultScoring, SCORINGS, type Scoring } from "../../results/scoring.ts";
import { terminalTable } from "../../views/kit/table.ts";
import type { Register } from "../command.ts";
import { wholeNumber } from "../strings.ts";
import { registerEvaluateBenchmark } from "./evaluate-benchmark.ts";
import { registerEvaluateMaps } from "./evaluate-maps.ts";
import { registerEvaluateSegmentation } from "./evaluate-segmentation.ts";
import { addZeroShot } from "./evaluate-zero-shot.ts";

interface RetrievalOptions {
  readonly index: string;
  readonly k: number;
  readonly scoring: Scoring;
  readonly headsPerFactor: number;
}

/** `evaluate retrieval`, `evaluate segmentation`, `evaluate maps`: numbers for what the pictures show. */
export const registerEvaluate: Register = (program, run) => {
  const evaluate = program.command("evaluate").description("measure an analysis where the truth is known");
  addZeroShot(evaluate, run);
  evaluate
    .command("retrieval")
    .description("precision of neighbours by every factor, through heads chosen on other images")
    .requiredOption("--index <index>", "an index of images with labels or factors")
    .option("-k <n>", "neighbours a query", wholeNumber(1, 1000), 8)
    .addOption(
      new Option("--scoring <kind>", "what puts neighbours in order, as of `neighbors`")
        .choices(SCORINGS)
        .default(defaultScoring("image")),
    )
    .option("--heads-per-factor <n>", "heads chosen for each factor", wholeNumber(1, 100), 3)
    .action(
      run(async (context, options: RetrievalOptions) => {
        const { report, signal, result } = context;
        const { index, model } = await context.openIndex(options.index);
        const { k, scoring, headsPerFactor } = options;
        const measured = await measureRetrieval(model, index, { k, scoring, headsPerFactor, report, signal });
        result(measured, () => retrievalText(measured));
      }),
    );
  registerEvaluateSegmentation(evaluate, run);
  registerEvaluateMaps(evaluate, run);
  registerEvaluateBenchmark(evaluate, run);
};

/** One row a head set, one column a factor; the best set of each column is marked. */
function retrievalText({ k, scoring, factors, rows }: RetrievalResult): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)}`;
  const best = factors.map((_, f) => Math.max(...rows.map(({ precisionAtK }) => precisionAtK[f].mean)));
  const cells = rows.map(({ chosenFor, heads, precisionAtK }) => [
    chosenFor,
    heads.length === 0 ? "everything" : heads.map(({ name, weight }) => weightedName(name, weight)).join(" "),
    ...precisionAtK.map(({ mean }, f) => `${percent(mean)}${mean === best[f] ? " *" : ""}`),
  ]);
  const chance = ["chance", "", ...factors.map((factor) => percent(factor.chance))];
  return [
    `precision@${k} in per cent, by factor (columns), through the heads chosen for each factor (rows)`,
    "",
    ...terminalTable(["heads for", "heads", ...factors.map(({ name }) => name)], [...cells, chance]),
    "",
    `Heads were chosen by selectivity on the even images; the odd ones are queries and answers, scored by ${scoring}. * the best of a column.`,
    "",
    `whether the same few images are everyone's neighbours: how often each is among the ${k} nearest of another`,
    "",
    ...terminalTable(
      ["heads for", "#never", "#most often", "#skewness"],
      rows.map(({ chosenFor, hubness: { never, most, skewness } }) => [
        ...[chosenFor, `${percent(never)} %`, String(most), skewness.toFixed(1)],
      ]),
    ),
  ].join("\n");
}
