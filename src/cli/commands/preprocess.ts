import type { Command } from "commander";
import { loadCheckpoint } from "../../checkpoint/load.ts";
import { preprocessResultSchema } from "../../contract/preprocess.ts";
import { encodePng } from "../../image/encode.ts";
import { preprocess } from "../../image/preprocess.ts";
import { locateModel } from "../../model/registry.ts";
import { writeOutput } from "../../support/files.ts";
import { parseCount, type Register } from "../command.ts";

/** `preprocess IMAGE --size 224 --out X.png`: exactly what the model is shown, before normalisation. */
export const registerPreprocess: Register = (program, run) => {
  program
    .command("preprocess")
    .description("write the square that a model is shown of an image")
    .argument("<image>", "any JPEG, PNG, WebP, AVIF, GIF or TIFF")
    .requiredOption("--out <file>", "where the PNG goes")
    .option("--size <pixels>", "side of the square; default: the model's", parseCount)
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .option("--max-pixels <n>", "refuse images with more pixels", parseCount)
    .action(
      run(async ({ globals, result }, image: string, options: Options, _command: Command) => {
        const { folder, name } = await locateModel(globals.model);
        const { config } = await loadCheckpoint(folder, name);
        const size = options.size ?? config.preprocess.size;
        const { exif, maxPixels } = options;
        const shown = await preprocess(
          image,
          { ...config.preprocess, size },
          { exif, ...(maxPixels && { maxPixels }) },
        );
        await writeOutput(options.out, await encodePng(shown.rgb, size, size));
        const { width, height, placement } = shown;
        result(
          preprocessResultSchema.parse({
            image,
            out: options.out,
            size,
            original: { width, height },
            placement,
          }),
          () => `${options.out}  ${size}×${size} of ${image} (${width}×${height})`,
        );
      }),
    );
};

interface Options {
  readonly out: string;
  readonly size?: number;
  readonly exif: boolean;
  readonly maxPixels?: number;
}
