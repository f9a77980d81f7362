import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Cover } from "../../../src/views/kit/panel.ts";
import { segmentationPictures } from "../../../src/views/segmentation/pictures.ts";
import { segmentationSvg } from "../../../src/views/segmentation/svg.ts";
import type { SegmentResult } from "../state/api.ts";
import { type ExportSet, encodePng, originalPixels } from "./save.ts";

/** The maps of a picture as files. @param cover as the page shows them */
export const segmentExports = (image: string, found: SegmentResult, cover: Cover): ExportSet => ({
  async svg() {
    const pixels = await originalPixels(image, found);
    return segmentationSvg(found, await segmentationPictures(found, pixels, encodePng, cover));
  },
  csv() {
    const { origin, components, mode, texts } = found;
    return csvOf(
      { ...origin, heads: components.set, mode },
      ["text", "row", "column", "value"],
      texts.flatMap(({ text, values }) =>
        values.flatMap((row, r) => row.map((value, c) => [text, r, c, value])),
      ),
    );
  },
  json: () => found,
});
