import { extname } from "node:path";
import type { Command } from "commander";
import { loadCheckpoint } from "../../checkpoint/load.ts";
import { encodePng } from "../../image/encode.ts";
import { preprocess } from "../../image/preprocess.ts";
import { locateModel } from "../../model/registry.ts";
import { originOf } from "../../results/origin.ts";
import { preprocessResult } from "../../results/preprocess.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { writeWhole } from "../../support/files.ts";
import type { Register } from "../command.ts";
import { refuseOverwrite } from "../overwrite.ts";
import { wholeNumber } from "../strings.ts";

/** Side of the largest square: no model reads more, and its pixels fit into memory. */
const LARGEST = 8192;

/** `preprocess IMAGE --size 224 --out X.png`: exactly what the model is shown, before normalisation. */
export const registerPreprocess: Register = (program, run) => {
  program
    .command("preprocess")
    .description("write the square that a model is shown of an image")
    .argument("<image>", "any JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF, BMP or PPM")
    .requiredOption("--out <file>", "where the PNG goes")
    .option("--size <pixels>", "side of the square; default: the model's", wholeNumber(1, LARGEST))
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .option("--max-pixels <n>", "refuse images with more pixels", wholeNumber(1))
    .action(
      run(async ({ modelName, result, report }, image: string, options: Options, _command: Command) => {
        if (extname(options.out).toLowerCase() !== ".png")
          throw new ClipInterpretError("USAGE", `--out ${options.out} is not a .png`);
        refuseOverwrite(options.out, image);
        const { folder, name } = await locateModel(modelName);
        const { config } = await loadCheckpoint(folder, name);
        const size = options.size ?? config.preprocess.size;
        const { exif, maxPixels } = options;
        const shown = await preprocess(
          image,
          { ...config.preprocess, size },
          { exif, report, ...(maxPixels && { maxPixels }) },
        );
        await writeWhole(options.out, await encodePng(shown.rgb, size, size));
        const { width, height, placement } = shown;
        const origin = await originOf({ image: { name: image, label: null, sha256: shown.sha256 } });
        const found = { out: options.out, size, original: { width, height }, placement };
        result(
          preprocessResult(origin, found),
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
