import type { Pixels } from "../../../src/views/kit/panel.ts";

/** Pixels of a picture's longer side, at most. */
const MOST = 512;

/** Reads a picture's pixels, at most {@link MOST} on its longer side unless they are wanted in an exact size. */
export async function loadPixels(
  src: string,
  exact?: { readonly width: number; readonly height: number },
): Promise<Pixels> {
  const image = new Image();
  image.src = src;
  await image.decode();
  const { naturalWidth, naturalHeight } = image;
  const enlarge = Math.min(MOST / Math.max(naturalWidth, naturalHeight), 4);
  // Small pictures are enlarged by whole numbers, so that their own pixels stay squares.
  const scale = enlarge > 1 ? Math.floor(enlarge) : enlarge;
  const width = exact?.width ?? Math.max(1, Math.round(naturalWidth * scale));
  const height = exact?.height ?? Math.max(1, Math.round(naturalHeight * scale));
  const drawn = document.createElement("canvas");
  drawn.width = width;
  drawn.height = height;
  const context = drawn.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  // Squares where the picture grows to twice its size or more, else smooth.
  context.imageSmoothingEnabled = exact ? width * height < 4 * naturalWidth * naturalHeight : scale < 1;
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, at = 0; i < data.length; i += 4) {
    rgb[at++] = data[i];
    rgb[at++] = data[i + 1];
    rgb[at++] = data[i + 2];
  }
  return { rgb, width, height };
}
