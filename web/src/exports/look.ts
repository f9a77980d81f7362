import { headName } from "../../../src/model/components.ts";
import { contributionMatrix } from "../../../src/views/explanation/matrix.ts";
import { anyBeyond, sharedLimit } from "../../../src/views/explanation/words.ts";
import { colourBar, signedScale } from "../../../src/views/kit/colour.ts";
import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Paint } from "../../../src/views/kit/heatmap.ts";
import {
  banner,
  framedPicture,
  paragraph,
  stack,
  svgDocument,
  textLine,
} from "../../../src/views/kit/svg.ts";
import { loadPixels } from "../plots/heat-picture.tsx";
import { paintPicture } from "../plots/paint.ts";
import { type App, type ExplainResult, type ImageInfo, type ModelDetail, pictureUrl } from "../state/api.ts";
import type { TokenValues } from "../state/queries.ts";
import type { ViewState } from "../state/url.ts";
import { type ExportSet, pngOf, provenance, stamped } from "./save.ts";

interface LookInput {
  readonly app: App;
  readonly model: ModelDetail;
  readonly state: ViewState;
  readonly image: ImageInfo;
  readonly explained: ExplainResult;
  readonly map: TokenValues;
  readonly view: { readonly values: Float64Array; readonly limit: number; readonly paint: Paint };
  readonly on: number;
  readonly heads: string;
  readonly headCount: number;
}

/** The look at one picture: the map of the chosen heads and the whole matrix of the text that is shown. */
export async function lookExports(input: LookInput): Promise<ExportSet> {
  const { app, model, state, image, explained, map, view, on, heads, headCount } = input;
  const origin = provenance(app, model, { image: image.sha256, heads: heads === "" ? "all" : heads });
  const explanation = explained.texts[on];
  return {
    async svg() {
      const pixels = await loadPixels(pictureUrl(image.image, 512));
      const painted = paintPicture(pixels, map, view.paint, state.opacity);
      const png = await pngOf(painted, pixels.width, pixels.height);
      const width = 720;
      const side = 320;
      const scale = side / Math.max(pixels.width, pixels.height);
      const size = `width="${Math.round(pixels.width * scale)}" height="${Math.round(pixels.height * scale)}"`;
      const limit = sharedLimit([explanation]);
      const matrix = contributionMatrix(explanation, signedScale(limit), 480);
      const set = headCount === 1 ? `head ${heads}` : `${heads || "all"} (${headCount} heads)`;
      const caption = `Where ${set} spoke for (red) or against (blue) “${explanation.text}”, and what every head and MLP added to its score.`;
      const drawing = stack(width, [
        [
          0,
          {
            width,
            height: 26,
            body: textLine(0, 20, `${image.label ?? "A picture"} seen by ${model.name}`, {
              size: 20,
              bold: true,
            }),
          },
        ],
        ...(model.notice === null
          ? []
          : [[12, banner(model.notice, width)] as [number, ReturnType<typeof banner>]]),
        [12, paragraph(caption, width, { size: 13 })],
        [16, { width, height: Math.round(pixels.height * scale), body: framedPicture(png, size, 1) }],
        [14, colourBar(signedScale(view.limit))],
        [24, matrix],
        [16, colourBar(signedScale(limit), { clipped: anyBeyond([explanation], limit) })],
      ]);
      return stamped(svgDocument(drawing, caption), origin);
    },
    csv: () =>
      csvOf(
        origin,
        ["text", "component", "contribution"],
        explained.texts.flatMap(({ text, heads: own, mlps }) => [
          ...own.map(({ layer, head, value }) => [text, headName(layer, head), value]),
          ...mlps.map(({ component, value }) => [text, component, value]),
        ]),
      ),
    json: () => ({
      ...{ provenance: origin, explained },
      map: { text: map.text, grid: map.grid, placement: map.placement, values: [...view.values] },
    }),
  };
}
