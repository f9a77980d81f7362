/** PNG files of pictures and masks. */
import sharp from "sharp";
import type { Picture } from "./render.ts";

/** A square of one byte a pixel. */
export interface GrayPicture {
  readonly size: number;
  readonly gray: Uint8Array;
}

/** The PNG file of a picture or of a mask; a mask's bytes are its pixels' values. */
export async function encodePng(picture: Picture | GrayPicture): Promise<Buffer> {
  const { size: width, size: height } = picture;
  const [data, channels] = "gray" in picture ? ([picture.gray, 1] as const) : ([picture.rgb, 3] as const);
  const image = sharp(data, { raw: { width, height, channels } });
  return (channels === 1 ? image.toColourspace("b-w") : image).png({ compressionLevel: 6 }).toBuffer();
}

/** Pictures of one size side by side, as a PNG file. */
export async function contactSheet(pictures: readonly Picture[], columns: number): Promise<Buffer> {
  const [gap, { size }] = [4, pictures[0]];
  const across = Math.min(columns, pictures.length);
  const tiles = pictures.map(({ rgb }, i) => ({
    input: Buffer.from(rgb.buffer, rgb.byteOffset, rgb.length),
    raw: { width: size, height: size, channels: 3 as const },
    left: (i % columns) * (size + gap),
    top: Math.floor(i / columns) * (size + gap),
  }));
  const width = across * (size + gap) - gap;
  const height = Math.ceil(pictures.length / columns) * (size + gap) - gap;
  const page = sharp({ create: { width, height, channels: 3, background: "white" } });
  return page.composite(tiles).png().toBuffer();
}
