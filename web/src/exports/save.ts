import { type EncodePng, type Pixels, type Placed, pixelSize } from "../../../src/views/kit/panel.ts";
import { withOrigin } from "../../../src/views/kit/png-text.ts";
import { rgbaOf } from "../plots/paint.ts";
import { loadPixels } from "../plots/pixels.ts";
import { pictureUrl } from "../state/api.ts";

/** The forms of one view; each is made when it is asked for. */
export interface ExportSet {
  svg(): Promise<string>;
  csv(): string;
  json(): unknown;
}

/** The pixels that a saved picture is drawn from: those that the command draws from. */
export const originalPixels = (image: string, placed: Placed): Promise<Pixels> =>
  loadPixels(pictureUrl(image, pixelSize(placed)), pixelSize(placed));

/** Draws an SVG at twice its size, with what it says of its origin. */
export async function svgToPngBlob(svg: string): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(2, Math.sqrt(40e6 / (image.naturalWidth * image.naturalHeight)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = new Uint8Array(await (await blobOf(canvas)).arrayBuffer());
    const named = withOrigin(png, svg);
    return new Blob([named as Uint8Array<ArrayBuffer>], { type: "image/png" });
  } finally {
    URL.revokeObjectURL(url);
  }
}

const blobOf = (canvas: HTMLCanvasElement) =>
  new Promise<Blob>((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );

/** RGB pixels as PNG bytes. */
export const encodePng: EncodePng = async (rgb, width, height) => {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(rgbaOf(rgb), width, height), 0, 0);
  return new Uint8Array(await (await blobOf(canvas)).arrayBuffer());
};

/** Hands a file to the browser. */
export function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
