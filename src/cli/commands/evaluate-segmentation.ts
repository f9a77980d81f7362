import type { Command } from "commander";
import { chooseUnits, evaluateSegmentation } from "../../analysis/segmentation/evaluate.ts";
import { segmentationSheetHtml } from "../../views/segmentation-sheet/page.ts";
import { segmentationSheetSvg } from "../../views/segmentation-sheet/svg.ts";
import { segmentationSheetTerminal } from "../../views/segmentation-sheet/terminal.ts";
import type { RunCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { addMaskedOptions, type MaskedOptions, maskedData, modelWith } from "../masked-options.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { sheetPictures } from "../segmentation-sheet.ts";

interface EvaluateOptions extends MaskedOptions {
  readonly out: readonly string[];
}

/** `evaluate segmentation`: maps against masks, by the protocol of the base paper. */
export function registerEvaluateSegmentation(evaluate: Command, run: RunCommand): void {
  const command = evaluate
    .command("segmentation")
    .description("pixel accuracy, mIoU and mAP of maps where masks are known, beside other methods'");
  addMaskedOptions(command)
    .addOption(pictureOption())
    .action(
      run(async (context: CommandContext, options: EvaluateOptions) => {
        const { report, signal, streams, result, say } = context;
        checkPictures(options.out);
        const model = await modelWith(context, options.registers);
        const { data, images, sets } = await maskedData(context, model, options);
        const { exif, bootstrap: draws, seed } = options;
        const found = await evaluateSegmentation(model, { ...data, images }, sets, {
          ...{ exif, draws, seed, report, signal },
        });
        if (options.out.length > 0) {
          const units = chooseUnits(found.units).map(({ unit }) => unit);
          const pictures = await sheetPictures(model, data, units, sets[0], { exif, signal });
          await writePictures(options.out, {
            svg: () => segmentationSheetSvg(found.result, pictures),
            html: () => segmentationSheetHtml(found.result, pictures),
          });
        }
        const { columns = 80 } = streams.stdout;
        result(found.result, () => segmentationSheetTerminal(found.result, { columns }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
}
