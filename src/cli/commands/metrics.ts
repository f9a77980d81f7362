import { measureLabelFiles } from "../../labeling/measure-files.ts";
import { metricsTerminal } from "../../views/metrics/terminal.ts";
import type { Register } from "../command.ts";
import { collect, wholeNumber } from "../strings.ts";

interface MetricsOptions {
  readonly labels: readonly string[];
  readonly texts?: string;
  readonly draws: number;
  readonly seed: number;
}

/** `metrics --labels FILE…`: how consistent labels are, and how much heads share them. */
export const registerMetrics: Register = (program, run) => {
  program
    .command("metrics")
    .description("measure how consistent head labels are (CCS, association) and how much heads share them")
    .requiredOption(
      "--labels <file>",
      "labels that `label` wrote, or by hand; `published` for those of the paper; once or more",
      (value: string, known: readonly string[] | undefined) => collect(value, known ?? []),
    )
    .option("--texts <pool>", "the pool the descriptions come from (default: the one for the model)")
    .option("--draws <n>", "draws of each baseline", wholeNumber(1, 100_000), 1000)
    .option("--seed <n>", "chooses the draws", wholeNumber(0), 0)
    .action(
      run(async ({ report, signal, result, streams }, { labels, ...options }: MetricsOptions) => {
        const measured = await measureLabelFiles(labels, { ...options, report, signal });
        result(measured, () => metricsTerminal(measured, { columns: streams.stdout.columns ?? 100 }));
      }),
    );
};
