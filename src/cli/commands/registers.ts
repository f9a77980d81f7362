import { findRegisters } from "../../analysis/registers/registers.ts";
import type { RegistersResult, TokenNorms } from "../../results/registers.ts";
import { percentOf } from "../../views/kit/chart.ts";
import { terminalTable } from "../../views/kit/table.ts";
import type { Register } from "../command.ts";
import { number, wholeNumber } from "../strings.ts";

interface RegistersOptions {
  readonly images: string;
  readonly ratio: number;
  readonly neurons: number;
  readonly limit: number;
  readonly exif: boolean;
}

/** `registers --images DIR`: which patches act as registers, which neurons make them, and what moves them aside. */
export const registerRegisters: Register = (program, run) => {
  program
    .command("registers")
    .description(
      "norms of tokens layer by layer, patches that act as registers, and the neurons that make them",
    )
    .requiredOption("--images <folder>", "images to look at")
    .option("--ratio <n>", "a patch is an outlier from so many times the median norm on", number(1), 3)
    .option("--neurons <n>", "how many neurons are moved into a register", wholeNumber(1, 1000), 10)
    .option("--limit <n>", "only the first n images", wholeNumber(1, 100_000), 500)
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .action(
      run(async (context, { images, ...options }: RegistersOptions) => {
        const { report, signal, result } = context;
        const found = await findRegisters(await context.model(), images, { ...options, report, signal });
        result(found, () => `${registersLines(found).join("\n")}\n`);
      }),
    );
};

function registersLines({
  images,
  ratio,
  norms,
  emerge,
  neurons,
  moved,
  origin,
  rejected,
}: RegistersResult): string[] {
  const digits = (value: number) => value.toFixed(2);
  const table = ({ layers }: TokenNorms) =>
    terminalTable(
      ["behind", "#median patch", "#99 % below", "#longest", "#CLS", "#outliers, × median"],
      layers.map(({ layer, median, high, most, cls, outliers }) => [
        ...[layer, digits(median), digits(high), digits(most), digits(cls)],
        outliers === null ? "" : digits(outliers),
      ]),
    );
  const found = ({ withOutliers, outliers, attention }: TokenNorms) =>
    `${withOutliers} of ${images} images have patches of ${ratio} times the median norm, ${digits(outliers)} an image; ${percentOf(attention)} of the last attention goes to them.`;
  return [
    `Norms of ${origin.model.name}'s tokens`,
    ...rejected.map(({ path, code, message }) => `rejected: ${path} (${code}: ${message})`),
    ...table(norms),
    found(norms),
    ...(emerge === null ? [] : [`They emerge behind ${emerge}.`]),
    ...(neurons.length === 0
      ? []
      : [
          "",
          ...terminalTable(
            ["neuron", "#active at outliers", "#elsewhere", "#writes more"],
            neurons.map(({ name, atOutliers, elsewhere, writes }) => [
              ...[name, digits(atOutliers), digits(elsewhere), digits(writes)],
            ]),
          ),
        ]),
    ...(moved === null
      ? []
      : [
          "",
          "With a register that takes what these neurons write:",
          ...table(moved.norms),
          found(moved.norms),
          `The register's norm is ${digits(moved.register)}; embeddings have a cosine of ${moved.cosine.toFixed(3)} with those without it.`,
          `To read maps so: --registers ${moved.neurons.join(",")}`,
        ]),
  ];
}
