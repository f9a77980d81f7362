/** The drawings: concepts in styles, rasterised once and kept at each pixel size that is asked for. */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { z } from "zod";
import { CONCEPTS } from "./concepts.ts";
import { STYLES } from "./factors.ts";
import type { Scene } from "./scene.ts";

/** A square drawing, premultiplied RGBA. */
export interface Sprite {
  readonly size: number;
  readonly rgba: Uint8Array;
}

const drawingsSchema = z.strictObject({
  source: z.string().describe("the npm package that the drawings were taken from, and its version"),
  svgs: z.record(z.string(), z.string()),
});
type Drawings = z.infer<typeof drawingsSchema>;

/** The files of drawings that were read, by icon set. */
const readSets = new Map<string, Promise<Drawings>>();

/** The SVG of every concept, by its name, as an icon set draws it. */
function readDrawings(iconSet: string): Promise<Drawings> {
  const read =
    readSets.get(iconSet) ??
    readFile(new URL(`../../assets/drawings/${iconSet}.json`, import.meta.url), "utf8").then((text) =>
      drawingsSchema.parse(JSON.parse(text)),
    );
  readSets.set(iconSet, read);
  return read;
}

/** The icon sets with their versions: what the drawings depend on. */
export async function drawingsVersion(): Promise<string> {
  const sources = STYLES.map(async ({ iconSet }) => (await readDrawings(iconSet)).source);
  return (await Promise.all(sources)).join(" ");
}

/** Rasterises an SVG and trims it to the smallest centred square around what it shows. */
async function rasterise(svg: string, pixels: number): Promise<Sprite> {
  const raster = sharp(Buffer.from(svg), { density: 1200 }).resize(pixels, pixels, {
    fit: "contain",
    background: "#0000",
  });
  const data = await raster.ensureAlpha().raw().toBuffer();
  let [left, right, top, bottom] = [pixels, 0, pixels, 0];
  for (let i = 0; i < pixels * pixels; i++) {
    if (data[i * 4 + 3] < 8) continue;
    const [x, y] = [i % pixels, Math.floor(i / pixels)];
    [left, right, top, bottom] = [
      Math.min(left, x),
      Math.max(right, x + 1),
      Math.min(top, y),
      Math.max(bottom, y + 1),
    ];
  }
  const size = Math.max(right - left, bottom - top);
  const offsetX = Math.floor((left + right - size) / 2);
  const offsetY = Math.floor((top + bottom - size) / 2);
  const rgba = new Uint8Array(size * size * 4);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const from = (y * pixels + x) * 4;
      const to = ((y - offsetY) * size + x - offsetX) * 4;
      const alpha = data[from + 3];
      for (let c = 0; c < 3; c++) rgba[to + c] = Math.round((data[from + c] * alpha) / 255);
      rgba[to + 3] = alpha;
    }
  }
  return { size, rgba };
}

/** Resamples a premultiplied square by averaging areas; deterministic, and exact for whole factors. */
export function resample(sprite: Sprite, size: number): Sprite {
  const spans = areaSpans(sprite.size, size);
  const rows = averageRows(sprite, spans);
  const rgba = new Uint8Array(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const to = (y * size + x) * 4;
      let [r, g, b, a] = [0, 0, 0, 0];
      for (const { at, weight } of spans[x]) {
        const from = (y * sprite.size + at) * 4;
        r += weight * rows[from];
        g += weight * rows[from + 1];
        b += weight * rows[from + 2];
        a += weight * rows[from + 3];
      }
      rgba[to] = Math.round(r);
      rgba[to + 1] = Math.round(g);
      rgba[to + 2] = Math.round(b);
      rgba[to + 3] = Math.round(a);
    }
  }
  return { size, rgba };
}

/** For each of `to` equal parts of a line of `from` pixels, the pixels that it covers and how much of it each is. */
function areaSpans(from: number, to: number): { at: number; weight: number }[][] {
  const step = from / to;
  return Array.from({ length: to }, (_, out) => {
    const [start, end] = [out * step, (out + 1) * step];
    const span: { at: number; weight: number }[] = [];
    for (let at = Math.floor(start); at < Math.min(Math.ceil(end), from); at++) {
      span.push({ at, weight: (Math.min(end, at + 1) - Math.max(start, at)) / step });
    }
    return span;
  });
}

/** Averages whole rows: [spans, size, 4]. */
function averageRows({ rgba, size }: Sprite, spans: readonly (readonly { at: number; weight: number }[])[]) {
  const stride = size * 4;
  const rows = new Float64Array(spans.length * stride);
  for (const [out, span] of spans.entries()) {
    const to = out * stride;
    for (const { at, weight } of span) {
      const from = at * stride;
      for (let c = 0; c < stride; c++) rows[to + c] += weight * rgba[from + c];
    }
  }
  return rows;
}

/** Drawings of the world in memory; sizes are made when first asked for. */
export class Sprites {
  private readonly sized = new Map<string, Sprite>();
  private readonly masters: ReadonlyMap<string, Sprite>;

  private constructor(masters: ReadonlyMap<string, Sprite>) {
    this.masters = masters;
  }

  /**
   * Rasterises every concept in the given styles at `pixels`, which should be no smaller than the sprites that will be
   * asked for.
   */
  static load(styles: readonly string[] = STYLES.map((style) => style.name), pixels = 256): Promise<Sprites> {
    const concepts = CONCEPTS.map(({ name }) => name);
    return Sprites.rasterise(new Map(styles.map((style) => [style, concepts])), pixels);
  }

  /** Rasterises at `pixels` what these scenes show, and nothing else. */
  static forScenes(scenes: readonly Scene[], pixels = 256): Promise<Sprites> {
    const shown = new Map<string, Set<string>>();
    for (const { style, objects } of scenes) {
      const concepts = shown.get(style) ?? new Set();
      shown.set(style, concepts);
      for (const { concept } of objects) concepts.add(concept);
    }
    return Sprites.rasterise(shown, pixels);
  }

  /** Rasterises concepts by style. */
  private static async rasterise(
    wanted: ReadonlyMap<string, Iterable<string>>,
    pixels: number,
  ): Promise<Sprites> {
    const masters = new Map<string, Sprite>();
    for (const { name, iconSet } of STYLES) {
      if (!wanted.has(name)) continue;
      const { svgs } = await readDrawings(iconSet);
      for (const concept of wanted.get(name) ?? []) {
        const svg = svgs[concept];
        if (svg === undefined) throw new Error(`no concept is named '${concept}'`);
        masters.set(`${name}/${concept}`, await rasterise(svg, pixels));
      }
    }
    return new Sprites(masters);
  }

  /** The drawing of a concept in a style, its longer side `size` pixels. */
  get(style: string, concept: string, size: number): Sprite {
    const key = `${style}/${concept}/${size}`;
    let sprite = this.sized.get(key);
    if (sprite === undefined) {
      const master = this.masters.get(`${style}/${concept}`);
      if (master === undefined) throw new Error(`no drawing of '${concept}' in style '${style}' is loaded`);
      sprite = resample(master, size);
      this.sized.set(key, sprite);
    }
    return sprite;
  }
}
