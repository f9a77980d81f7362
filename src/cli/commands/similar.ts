import { findSimilarHeads } from "../../analysis/similar/similar.ts";
import { parseComponents } from "../../model/components.ts";
import type { SimilarResult } from "../../results/similar.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { terminalTable } from "../../views/kit/table.ts";
import type { Register } from "../command.ts";
import { wholeNumber } from "../strings.ts";

interface SimilarCommandOptions {
  readonly index: string;
  readonly head: string;
  readonly k: number;
  readonly permutations: number;
  readonly seed: number;
}

/** `similar --index INDEX --head L3.H1`: which heads of the model respond like one of them. */
export const registerSimilar: Register = (program, run) => {
  program
    .command("similar")
    .description("find the heads of a model that respond to images most like one of its heads")
    .requiredOption("--index <index>", "an index, which brings its model")
    .requiredOption("--head <head>", "the head that others are compared with: L3.H1")
    .option("-k <n>", "how many heads", wholeNumber(1, 1000), 5)
    .option("--permutations <n>", "random permutations to compare with", wholeNumber(1, 1000), 20)
    .option("--seed <n>", "chooses the permutations", wholeNumber(0), 0)
    .action(
      run(async (context, options: SimilarCommandOptions) => {
        const { report, signal, result } = context;
        const { index, model } = await context.openShards(options.index);
        const { heads, mlps } = parseComponents(options.head, model.geometry);
        if (heads.length !== 1 || mlps.length > 0)
          throw new ClipInterpretError("HEADS_INVALID", `--head ${options.head} is not one head`);
        const found = await findSimilarHeads(model, index, heads[0], { ...options, report, signal });
        result(found, () => similarLines(found).join("\n"));
      }),
    );
};

function similarLines({ head, heads, permutations, origin }: SimilarResult): string[] {
  const columns = ["head", "#similarity", "#by chance", `#highest of ${permutations} permutations`];
  const rows = heads.map(({ name, similarity, chance, highestByChance }) => [
    name,
    ...[similarity, chance, highestByChance].map((value) => value.toFixed(3)),
  ]);
  return [
    `Heads that respond like ${head.name} to ${origin.index.images.toLocaleString("en")} images (linear CKA)`,
    ...terminalTable(columns, rows),
  ];
}
