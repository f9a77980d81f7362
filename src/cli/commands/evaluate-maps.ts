import { extname } from "node:path";
import type { Command } from "commander";
import { evaluateMaps } from "../../analysis/segmentation/faithfulness.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import { faithfulnessHtml } from "../../views/faithfulness/page.ts";
import { faithfulnessTerminal } from "../../views/faithfulness/terminal.ts";
import type { RunCommand } from "../command.ts";
import { addMaskedOptions, type MaskedOptions, maskedData, modelWith } from "../masked-options.ts";
import { wholeNumber } from "../strings.ts";

interface MapsOptions extends MaskedOptions {
  readonly steps: number;
  readonly sanity: number;
  readonly out?: string;
}

/** `evaluate maps`: whether maps are true to the masks and to the network. */
export function registerEvaluateMaps(evaluate: Command, run: RunCommand): void {
  const command = evaluate
    .command("maps")
    .description(
      "pointing, energy, insertion and deletion of every kind of map, and whether it survives shuffled weights",
    );
  addMaskedOptions(command)
    .option("--steps <n>", "steps in which patches come and go", wholeNumber(2, 1000), 8)
    .option(
      "--sanity <n>",
      "images whose maps are compared with shuffled networks’; 0 for none",
      wholeNumber(0),
      50,
    )
    .option("--out <file>", "write it as a page: .html")
    .action(
      run(async (context, options: MapsOptions) => {
        const { report, signal, streams, result, say } = context;
        const { out, exif, bootstrap: draws, seed, steps, sanity: sanityImages } = options;
        if (out !== undefined && extname(out).toLowerCase() !== ".html")
          throw new ClipInterpretError("USAGE", `--out ${out} is not .html`);
        const model = await modelWith(context, options.registers);
        const { data, images, sets } = await maskedData(context, model, options);
        const how = { exif, draws, seed, steps, sanityImages, report, signal };
        const found = await evaluateMaps(model, { ...data, images }, sets, how);
        if (out !== undefined) await writeWhole(out, faithfulnessHtml(found));
        const { columns = 80 } = streams.stdout;
        result(found, () => faithfulnessTerminal(found, { columns }));
        if (out !== undefined) say(`written: ${out}`);
      }),
    );
}
