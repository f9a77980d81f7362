import { measureSelectivity, selectiveHeads } from "../../analysis/selectivity/selectivity.ts";
import { readValueTexts } from "../../analysis/selectivity/value-texts.ts";
import { weightedName } from "../../model/components.ts";
import { writeWhole } from "../../support/files.ts";
import { selectivityHtml } from "../../views/selectivity/page.ts";
import { selectivitySvg } from "../../views/selectivity/svg.ts";
import { selectivityTerminal } from "../../views/selectivity/terminal.ts";
import type { Register } from "../command.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { wholeNumber } from "../strings.ts";

interface SelectivityOptions {
  readonly index: string;
  readonly permutations: number;
  readonly seed: number;
  readonly saveHeads?: string;
  readonly valueTexts?: string;
  readonly out: readonly string[];
}

/** `selectivity --index INDEX`: which head knows which factor. */
export const registerSelectivity: Register = (program, run) => {
  program
    .command("selectivity")
    .description(
      "measure what each known factor explains of every head, and whether the head writes towards what it sees",
    )
    .requiredOption("--index <index>", "an index of images with labels or factors")
    .option("--value-texts <file>", "JSON: by factor, the text or texts that say each of its values")
    .option("--permutations <n>", "random permutations to compare with", wholeNumber(1, 1000), 20)
    .option("--seed <n>", "chooses the permutations", wholeNumber(0), 0)
    .option("--save-heads <file>", "write each factor's three best heads, for `neighbors --labels`")
    .addOption(pictureOption())
    .action(
      run(async (context, options: SelectivityOptions) => {
        const { report, signal, streams, say, result } = context;
        checkPictures(options.out);
        const { index, model } = await context.openShards(options.index);
        const { permutations, seed, valueTexts } = options;
        const found = await measureSelectivity(model, index, {
          ...{ permutations, seed, report, signal },
          ...(valueTexts !== undefined && { valueTexts: await readValueTexts(valueTexts) }),
        });
        if (options.saveHeads !== undefined) {
          const chosen = Object.entries(selectiveHeads(found, 3)).filter(([, heads]) => heads.length > 0);
          const names = chosen.map(([factor, heads]) => [
            factor,
            heads.map(({ name, weight }) => weightedName(name, weight)),
          ]);
          await writeWhole(options.saveHeads, `${JSON.stringify(Object.fromEntries(names), null, 2)}\n`);
        }
        await writePictures(options.out, {
          svg: () => selectivitySvg(found),
          html: () => selectivityHtml(found),
        });
        result(found, () => selectivityTerminal(found, { columns: streams.stdout.columns ?? 80 }));
        if (options.saveHeads !== undefined) say(`heads written: ${options.saveHeads}`);
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};
