/** The drawings: concepts in styles, rasterised once and kept at each pixel size that is asked for. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
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

const iconSetSchema = z.object({
  width: z.number().default(16),
  height: z.number().default(16),
  icons: z.record(
    z.string(),
    z.object({ body: z.string(), width: z.number().optional(), height: z.number().optional() }),
  ),
  aliases: z.record(z.string(), z.object({ parent: z.string() })).default({}),
});

const require = createRequire(import.meta.url);
const versionSchema = z.object({ name: z.string(), version: z.string() });

/** The installed icon sets with their versions: what the drawings depend on. */
export async function drawingsVersion(): Promise<string> {
  const versions = STYLES.map(async ({ iconSet }) => {
    const file = require.resolve(`@iconify-json/${iconSet}/package.json`);
    const { name, version } = versionSchema.parse(JSON.parse(await readFile(file, "utf8")));
    return `${name}@${version}`;
  });
  return (await Promise.all(versions)).join(" ");
}

/** The concepts' SVGs of the icon sets that were read: a few hundred of the thousands in each. */
const readSets = new Map<string, Promise<ReadonlyMap<string, string>>>();

/** The SVG of every concept, by its name, in an installed icon set. */
function conceptSvgs(iconSet: string): Promise<ReadonlyMap<string, string>> {
  const read = readSets.get(iconSet) ?? readConceptSvgs(iconSet);
  readSets.set(iconSet, read);
  return read;
}

async function readConceptSvgs(iconSet: string): Promise<ReadonlyMap<string, string>> {
  const file = require.resolve(`@iconify-json/${iconSet}/icons.json`);
  const set = iconSetSchema.parse(JSON.parse(await readFile(file, "utf8")));
  const svgOf = (name: string) => {
    const icon = set.icons[name] ?? set.icons[set.aliases[name]?.parent ?? ""];
    if (icon === undefined) throw new Error(`icon set '${iconSet}' has no icon '${name}'`);
    const [width, height] = [icon.width ?? set.width, icon.height ?? set.height];
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`;
  };
  return new Map(CONCEPTS.map(({ name, icon }) => [name, svgOf(icon)]));
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
      const svgs = await conceptSvgs(iconSet);
      for (const concept of wanted.get(name) ?? []) {
        const svg = svgs.get(concept);
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
