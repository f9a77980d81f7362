import { shareColour } from "../kit/colour.ts";
import { paintGrid, paintOver, type Rgb } from "../kit/heatmap.ts";
import type { Picture } from "../kit/svg.ts";

/** Colours of the picture that compares map and mask: both, mask alone, map alone, and what nobody labelled. */
export const AGREEMENT = {
  both: "#009e73",
  missed: "#d55e00",
  wrong: "#56b4e9",
  ignored: "#c8c8c8",
} as const;

/** One answer of an evaluation in pixels, [size, size] each: what the model saw, the map, what it found, the truth. */
export interface AnswerPixels {
  readonly size: number;
  /** [size, size, 3]. */
  readonly rgb: Uint8Array;
  /** From 0 to 1. */
  readonly relevance: Float64Array;
  /** 1 where the map says that the thing is. */
  readonly found: Uint8Array;
  /** 1 where the thing is, 0 where it is not, −1 where nobody said. */
  readonly mask: Int8Array;
}

/** What the model saw of one answer, the map, and how it agrees with the mask. */
export interface AnswerPictures {
  readonly image: Picture;
  readonly map: Picture;
  readonly agreement: Picture;
}

/** Paints the pictures of an answer. @param encodePng makes a PNG of 8-bit RGB pixels */
export async function answerPictures(
  { size, rgb, relevance, found, mask }: AnswerPixels,
  encodePng: (rgb: Uint8Array, width: number, height: number) => Promise<Uint8Array>,
): Promise<AnswerPictures> {
  const picture = async (pixels: Uint8Array): Promise<Picture> => ({
    ...{ png: await encodePng(pixels, size, size), width: size, height: size },
  });
  const canvas = { rgb, width: size, height: size, covered: { x: 0, y: 0, width: size, height: size } };
  const grid = { rows: size, columns: size, values: relevance };
  // In the key's own colours: shaded by the picture they could not be matched to it.
  const agreement = Uint8Array.from(
    { length: rgb.length },
    (_, i) => agreementOf(mask[Math.floor(i / 3)], found[Math.floor(i / 3)] === 1)[i % 3],
  );
  return {
    image: await picture(rgb),
    map: await picture(paintOver(canvas, paintGrid(grid, 0, 1, shareColour))),
    agreement: await picture(agreement),
  };
}

const WHITE: Rgb = [255, 255, 255];

function agreementOf(mask: number, found: boolean): Rgb {
  if (mask < 0) return channelsOf(AGREEMENT.ignored);
  if (mask > 0) return channelsOf(found ? AGREEMENT.both : AGREEMENT.missed);
  return found ? channelsOf(AGREEMENT.wrong) : WHITE;
}

const channelsOf = (hex: string): Rgb => {
  const channel = (start: number) => Number.parseInt(hex.slice(start, start + 2), 16);
  return [channel(1), channel(3), channel(5)];
};
