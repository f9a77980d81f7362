import { renderAsync } from "@resvg/resvg-js";
import { packaged } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { isFile } from "../../support/files.ts";
import { withOrigin } from "./png-text.ts";

/** Fonts of the package: a machine may have none, and with its own each picture would look different. */
const FONTS = ["Inter-Regular.ttf", "Inter-SemiBold.ttf", "DejaVuSansCondensed.ttf"].map((name) =>
  packaged(`assets/fonts/${name}`),
);

/** Pictures of many texts are drawn less sharply rather than with more pixels than this. */
const MAX_PIXELS = 60e6;

/**
 * Draws an SVG of these views as a PNG on a white page, the same on every machine.
 * @param options `width` of the PNG in pixels; without it, twice the SVG's own
 * @example
 * ```ts
 * import { measureSelectivity, openIndex, openModel } from "clip-interpret";
 * import { selectivitySvg, svgToPng } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const svg = selectivitySvg(await measureSelectivity(model, index, { permutations: 5 }));
 * const png = await svgToPng(svg, { width: 800 });
 * console.log(Buffer.from(png).toString("latin1", 1, 4)); // → PNG
 * ```
 */
export async function svgToPng(svg: string, options: { width?: number } = {}): Promise<Uint8Array> {
  // The renderer says nothing about a missing font: it leaves the text out.
  for (const font of FONTS) {
    if (!(await isFile(font)))
      throw new ClipInterpretError("INTERNAL", `a font of the package is missing: ${font}`);
  }
  // The fonts hold no joined emoji, and the renderer would draw the parts of one on top of each other.
  const image = await renderAsync(svg.replace(/[\u200d\ufe0e\ufe0f]/g, ""), {
    font: {
      loadSystemFonts: false,
      fontFiles: FONTS,
      defaultFontFamily: "Inter",
      sansSerifFamily: "Inter",
    },
    background: "#ffffff",
    fitTo:
      options.width === undefined
        ? { mode: "zoom", value: sharpness(svg) }
        : { mode: "width", value: options.width },
  });
  return withOrigin(image.asPng(), svg);
}

/** Pixels per SVG unit: two, less where that would exceed {@link MAX_PIXELS}. */
function sharpness(svg: string): number {
  const [, width, height] = /^<svg[^>]* width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  if (width === undefined || height === undefined) return 2;
  return Math.min(2, Math.sqrt(MAX_PIXELS / (Number(width) * Number(height))));
}
