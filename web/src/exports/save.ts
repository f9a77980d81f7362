import { escapeXml } from "../../../src/views/kit/text.ts";
import type { App, ModelDetail } from "../state/api.ts";

/** The forms of one view; each is made when it is asked for. */
export interface ExportSet {
  svg(): Promise<string>;
  csv(): string;
  json(): unknown;
}

/** What a file must say of itself, so that it can be made again. */
export interface Provenance {
  readonly program: string;
  readonly model: string;
  /** SHA-256 of the weights. */
  readonly weights: string;
  readonly precision: string;
  /** Of what was looked at. */
  readonly [name: string]: string;
}

/** Provenance of something that a model computed. @param more such as the image's hash */
export const provenance = (app: App, model: ModelDetail, more: Record<string, string>): Provenance => ({
  program: `clip-interpret ${app.version}`,
  model: model.name,
  weights: model.weights,
  precision: model.precision,
  ...more,
  address: location.pathname + location.search,
});

const LINE = 26;

/** An SVG with its provenance: a line at its foot for people, and all of it as metadata. */
export function stamped(svg: string, origin: Provenance): string {
  const [head, width, height] = /^<svg[^>]* width="(\d+)" height="(\d+)"[^>]*>/.exec(svg) ?? [];
  if (head === undefined) return svg;
  const taller = Number(height) + LINE;
  const grown = head
    .replace(`height="${height}"`, `height="${taller}"`)
    .replace(/viewBox="0 0 (\d+) \d+"/, `viewBox="0 0 $1 ${taller}"`);
  const brief = [
    origin.program,
    `${origin.model} (weights ${origin.weights.slice(0, 12)}, ${origin.precision})`,
    ...(origin.image ? [`image ${origin.image.slice(0, 12)}`] : []),
    ...(origin.corpus ? [`corpus ${origin.corpus}`] : []),
  ].join(" · ");
  const paper = `<rect fill="#ffffff" width="${width}" height="${taller}"/>`;
  const foot = `<text x="24" y="${taller - 12}" font-size="11" fill="#59636e">${escapeXml(brief)}</text>`;
  const metadata = `<metadata>${escapeXml(JSON.stringify(origin))}</metadata>`;
  return svg.replace(head, grown + metadata + paper).replace(/<\/svg>\s*$/, `${foot}</svg>\n`);
}

/** Draws an SVG at twice its size. */
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
    return await blobOf(canvas);
  } finally {
    URL.revokeObjectURL(url);
  }
}

const blobOf = (canvas: HTMLCanvasElement) =>
  new Promise<Blob>((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );

/** RGBA pixels as PNG bytes. */
export async function pngOf(
  rgba: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
): Promise<Uint8Array> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(rgba, width, height), 0, 0);
  return new Uint8Array(await (await blobOf(canvas)).arrayBuffer());
}

/** Hands a file to the browser. */
export function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
