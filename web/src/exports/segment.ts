import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Paint } from "../../../src/views/kit/heatmap.ts";
import { segmentationSvg } from "../../../src/views/segmentation/svg.ts";
import type { ShownSize } from "../../../src/views/segmentation/words.ts";
import { loadPixels } from "../plots/heat-picture.tsx";
import { largest, paintPicture } from "../plots/paint.ts";
import { type App, type ImageInfo, type ModelDetail, pictureUrl, type SegmentResult } from "../state/api.ts";
import type { ViewState } from "../state/url.ts";
import { type ExportSet, pngOf, provenance, stamped } from "./save.ts";

/** Colours of texts that cannot be confused, by any common colour vision: Okabe and Ito's. */
export const WINNER_COLOURS = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#f0e442",
  "#666666",
];

interface SegmentInput {
  readonly app: App;
  readonly model: ModelDetail;
  readonly state: ViewState;
  readonly image: ImageInfo;
  readonly found: SegmentResult;
  readonly limit: number;
  readonly paints: readonly Paint[];
  readonly winners?: Paint;
  readonly heads: string;
  readonly headCount: number;
}

/** The maps of a picture, side by side. */
export async function segmentExports(input: SegmentInput): Promise<ExportSet> {
  const { app, model, state, image, found, limit, paints, winners, heads, headCount } = input;
  const origin = provenance(app, model, {
    image: image.sha256,
    heads: found.heads.join(" "),
    mode: found.mode,
  });
  const { original, placement, grid } = found;
  return {
    async svg() {
      const pixels = await loadPixels(pictureUrl(image.image, 512));
      const place = { ...original, grid: grid.rows, placement };
      const picture = async (paint: Paint | undefined) => ({
        png: await pngOf(paintPicture(pixels, place, paint, state.opacity), pixels.width, pixels.height),
        ...{ width: pixels.width, height: pixels.height },
      });
      const scale = 320 / Math.max(original.width, original.height);
      const shown: ShownSize = {
        width: original.width * scale,
        height: original.height * scale,
        covered: {
          x: placement.x * scale,
          y: placement.y * scale,
          width: placement.width * scale,
          height: placement.height * scale,
        },
      };
      const texts = await Promise.all(
        found.texts.map(async ({ values: _, token: __, ...sums }, i) => ({
          ...sums,
          overlay: await picture(paints[i]),
          limit,
        })),
      );
      const svg = segmentationSvg({
        ...{ model: model.name, imageName: image.label ?? image.path ?? "a picture", heads, headCount },
        ...{
          width: original.width,
          height: original.height,
          mode: found.mode,
          grid: grid.rows,
          shown,
          texts,
        },
        original: await picture(undefined),
        ...(winners &&
          found.winners && {
            winners: {
              overlay: await picture(winners),
              texts: found.texts.map(({ text }, i) => ({
                ...{ text, colour: WINNER_COLOURS[i % WINNER_COLOURS.length] },
                patches: found.winners?.counts[i] ?? 0,
              })),
              largestMargin: largest(found.winners.margin.flat()),
            },
          }),
        ...(model.notice !== null && { notice: model.notice }),
      });
      return stamped(svg, origin);
    },
    csv: () =>
      csvOf(
        origin,
        ["text", "row", "column", "value"],
        found.texts.flatMap(({ text, values }) =>
          values.flatMap((row, r) => row.map((value, c) => [text, r, c, value])),
        ),
      ),
    json: () => ({ provenance: origin, segmentation: found }),
  };
}
