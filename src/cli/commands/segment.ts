import { extname } from "node:path";
import { Option } from "commander";
import { segmentImage } from "../../analysis/segmentation/segmentation.ts";
import type { Neuron } from "../../checkpoint/model-config.ts";
import { displayPicture } from "../../image/display.ts";
import { encodePng } from "../../image/encode.ts";
import { loadProperties } from "../../labels/properties.ts";
import { parseComponents } from "../../model/components.ts";
import {
  SEGMENTATION_MODES,
  SEGMENTATION_SCALES,
  type SegmentationMode,
  type SegmentationScale,
  type SegmentResult,
} from "../../results/segment.ts";
import { writeWhole } from "../../support/files.ts";
import { formatNpy } from "../../support/npy.ts";
import { pixelSize } from "../../views/kit/panel.ts";
import { segmentationHtml } from "../../views/segmentation/page.ts";
import { segmentationPictures } from "../../views/segmentation/pictures.ts";
import { segmentationSvg } from "../../views/segmentation/svg.ts";
import { segmentationTerminal } from "../../views/segmentation/terminal.ts";
import type { Register } from "../command.ts";
import { modelWith, registersOption } from "../masked-options.ts";
import { refuseOverwrite } from "../overwrite.ts";
import { patchAt } from "../patch-option.ts";
import { checkPictures, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";
import { textsOf, textsOption } from "../texts-option.ts";

interface SegmentOptions {
  readonly text: readonly string[];
  readonly texts?: string;
  readonly heads: string;
  readonly labels?: string;
  readonly mode: SegmentationMode;
  readonly scale: SegmentationScale;
  readonly token?: string;
  readonly baselines: boolean;
  readonly registers?: readonly Neuron[];
  readonly out: readonly string[];
  readonly exif: boolean;
  readonly maxPixels?: number;
}

/** `segment IMAGE --text T …`: where in the image some heads find a text. */
export const registerSegment: Register = (program, run) => {
  program
    .command("segment")
    .description("show where in an image some heads find a text, or which of several texts they find where")
    .argument("<image>", "any JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF, BMP or PPM")
    .option("--text <text>", "a text to look for; once or more", collect, [])
    .addOption(textsOption())
    .option("--heads <set>", "one head (L3.H1), several (L2-L3, last4, all), or a property's name", "all")
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .addOption(
      new Option("--mode <mode>", "each text alone, or each against the mean of the others")
        .choices(SEGMENTATION_MODES)
        .default("topic"),
    )
    .addOption(
      new Option("--scale <scale>", "colours on one scale for all texts, or each map on its own")
        .choices(SEGMENTATION_SCALES)
        .default("common"),
    )
    .option("--token <row,column>", "a patch whose heads are listed, strongest first; counted from 0,0")
    .option(
      "--baselines",
      "show also what ten other methods make of it: attention, rollout, MaskCLIP, GEM, LeGrad …",
      false,
    )
    .addOption(registersOption())
    .option("--out <file>", "draw it: .png, .svg or .html; or values: .npy; once or more", collect, [])
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .option("--max-pixels <n>", "refuse images with more pixels", wholeNumber(1))
    .action(
      run(async (context, image: string, options: SegmentOptions) => {
        const { report, signal, streams, say, result } = context;
        const arrays = options.out.filter(isArray);
        const pictures = options.out.filter((path) => !isArray(path));
        checkPictures(pictures, image);
        for (const path of arrays) refuseOverwrite(path, image);
        const texts = await textsOf(options, { report, signal });
        const model = await modelWith(context, options.registers);
        const set = parseComponents(
          options.heads,
          model.geometry,
          await loadProperties(model, options.labels),
        );
        const { mode, scale, baselines, exif, maxPixels } = options;
        const patch = patchAt(options.token, model.config.vision.grid);
        const found = await segmentImage(model, image, texts, {
          ...{ set, written: options.heads, mode, scale, baselines, exif, report, signal },
          ...(patch !== undefined && { patch }),
          ...(maxPixels && { maxPixels }),
        });
        if (pictures.length > 0) {
          const { width, height } = pixelSize(found);
          const pixels = await displayPicture(image, width, height, { exif });
          const drawn = await segmentationPictures(found, pixels, encodePng);
          await writePictures(pictures, {
            svg: () => segmentationSvg(found, drawn),
            html: () => segmentationHtml(found, drawn),
          });
        }
        for (const path of arrays) await writeWhole(path, formatNpy(valuesOf(found)));
        const { columns = 80 } = streams.stdout;
        result(found, () => segmentationTerminal(found, { columns }));
        for (const path of options.out) say(`${isArray(path) ? "values" : "drawn"}: ${path}`);
      }),
    );
};

const isArray = (path: string): boolean => extname(path).toLowerCase() === ".npy";

/** [texts, rows, columns] in float32. */
function valuesOf({ texts, grid: { rows, columns } }: SegmentResult) {
  const data = Float32Array.from(texts.flatMap(({ values }) => values.flat()));
  return { shape: [texts.length, rows, columns], data };
}
