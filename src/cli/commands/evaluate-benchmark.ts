import { Argument, type Command } from "commander";
import { runBenchmark } from "../../analysis/segmentation/benchmark.ts";
import { BENCHMARKS, type BenchmarkName } from "../../analysis/segmentation/benchmarks.ts";
import { imagenetTemplates } from "../../analysis/zero-shot/imagenet.ts";
import type { Neuron } from "../../checkpoint/model-config.ts";
import type { BenchmarkResult } from "../../results/benchmark.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput } from "../../support/files.ts";
import { percent } from "../../views/kit/chart.ts";
import { fittedTable } from "../../views/kit/table.ts";
import type { RunCommand } from "../command.ts";
import { defaultTemplates, modelWith, registersOption, requirePlaces, setsOf } from "../masked-options.ts";
import { collect, number, wholeNumber } from "../strings.ts";

interface BenchmarkCommandOptions {
  readonly images: string;
  readonly heads: readonly string[];
  readonly labels?: string;
  readonly names?: string;
  readonly template: readonly string[];
  readonly limit?: number;
  readonly logitScale: number;
  readonly threshold: number;
  readonly bootstrap: number;
  readonly seed: number;
  readonly registers?: readonly Neuron[];
}

/** `evaluate benchmark`: the published benchmarks of open-vocabulary segmentation, where their images are. */
export function registerEvaluateBenchmark(evaluate: Command, run: RunCommand): void {
  evaluate
    .command("benchmark")
    .description(
      "mIoU on a published benchmark of open-vocabulary segmentation, of heads and of other methods",
    )
    .addArgument(new Argument("<benchmark>", "which one").choices(BENCHMARKS))
    .requiredOption(
      "--images <folder>",
      "the data set's own folder: JPEGImages, SegmentationClass, ImageSets …",
    )
    .option("--heads <set>", "a set of heads, the first to compare with; once or more", collect, [])
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .option(
      "--names <file>",
      "what classes are called: a line a class in the benchmark's order, names parted by commas",
    )
    .option(
      "--template <text>",
      "a text that names a class, with {} for its name; several are averaged",
      collect,
      [],
    )
    .option("--limit <n>", "only the first n images", wholeNumber(1))
    .option("--logit-scale <n>", "multiplies cosines before the softmax over names", number(0, 1e6), 40)
    .option(
      "--threshold <p>",
      "a pixel of a lower probability is background, where there is one",
      number(0, 1),
      0.1,
    )
    .addOption(registersOption())
    .option("--bootstrap <n>", "resamples for the intervals", wholeNumber(10, 100_000), 1000)
    .option("--seed <n>", "chooses the resamples", wholeNumber(0), 0)
    .action(
      run(async (context, name: BenchmarkName, options: BenchmarkCommandOptions) => {
        const { report, signal, streams, result } = context;
        const { images, limit, logitScale, threshold, bootstrap: draws, seed } = options;
        const model = await modelWith(context, options.registers);
        const templates =
          options.template.length > 0 ? options.template : defaultTemplates(model, imagenetTemplates());
        requirePlaces(templates);
        const names = options.names === undefined ? undefined : await readNames(options.names);
        const found = await runBenchmark(model, name, images, await setsOf(model, options), {
          ...{ templates, logitScale, threshold, draws, seed, report, signal },
          ...(limit !== undefined && { limit }),
          ...(names && { names }),
        });
        const { columns = 80 } = streams.stdout;
        result(found, () => benchmarkText(found, columns));
      }),
    );
}

/** Names of each class, a line each. @throws `USAGE` for an empty line between others */
async function readNames(path: string): Promise<string[][]> {
  const lines = (await readInput(path)).toString("utf8").trim().split(/\r?\n/);
  return lines.map((line, i) => {
    const names = line.split(",").flatMap((name) => name.trim() || []);
    if (names.length === 0) throw new ClipInterpretError("USAGE", `${path}: line ${i + 1} names nothing`);
    return names;
  });
}

function benchmarkText(result: BenchmarkResult, columns: number): string {
  const { title, images, window, methods, rejected, origin, foreign, draws } = result;
  const cell = ({ value, low, high }: BenchmarkResult["methods"][number]["meanIou"]) =>
    `${percent(value)} [${percent(low)}, ${percent(high)}]`;
  const rows = methods.map(({ name, meanIou, difference, pixelAccuracy, paper }, m) => [
    ...[name, cell(meanIou), m === 0 ? "" : cell(difference), cell(pixelAccuracy), paper ?? ""],
  ]);
  return [
    `${title}: ${images} images, shorter side ${window.shortSide}, windows of ${window.size} every ${window.stride} pixels`,
    ...(foreign && origin.model.notice !== null
      ? [`Note: ${origin.model.notice} Read the numbers as a test of the measurement, not of the model.`]
      : []),
    ...rejected.map(({ path, code, message }) => `rejected: ${path} (${code}: ${message})`),
    "",
    ...fittedTable(["method", "#mIoU", "#minus the first’s", "#pixel accuracy", "paper"], rows, columns),
    "",
    `Per cent, with 95\u00a0% intervals over images (bootstrap, ${draws} resamples). No refinement of edges.\n`,
  ].join("\n");
}
