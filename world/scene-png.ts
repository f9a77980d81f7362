/**
 * Writes scenes as PNG files with their factors, captions and candidate texts.
 *
 *   npx tsx world/scene-png.ts --out DIR [--seed 4] [--index 0,1,2,…] [--size 256] [--sheet COLUMNS]
 *
 * Writes `<concept>-<index>.png` for each index, and `scenes.json`; with --sheet, one contact sheet instead.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { candidates } from "./candidates.ts";
import { caption } from "./captions.ts";
import { Random } from "./random.ts";
import { type Picture, render } from "./render.ts";
import { type Scene, sampleScene } from "./scene.ts";
import { Sprites } from "./sprites.ts";

/** The PNG file of a picture. */
export async function encodePng({ rgb, size }: Picture): Promise<Buffer> {
  return sharp(rgb, { raw: { width: size, height: size, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** The longest of a dozen captions: the one that says most. */
function fullCaption(scene: Scene): string {
  const random = new Random(scene.seed, scene.index);
  const texts = Array.from({ length: 12 }, () => caption(scene, random).text);
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest));
}

/** Pictures of one size side by side. */
async function contactSheet(pictures: readonly Picture[], columns: number): Promise<Buffer> {
  const step = pictures[0].size + 4;
  const tiles = pictures.map(async (picture, i) => ({
    input: await encodePng(picture),
    left: (i % columns) * step,
    top: Math.floor(i / columns) * step,
  }));
  const [width, height] = [columns * step - 4, Math.ceil(pictures.length / columns) * step - 4];
  const page = sharp({ create: { width, height, channels: 3, background: "white" } });
  return page
    .composite(await Promise.all(tiles))
    .png()
    .toBuffer();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      seed: { type: "string", default: "4" },
      index: { type: "string", default: "0,1,2,3,4,5,6,7" },
      size: { type: "string", default: "256" },
      sheet: { type: "string" },
    },
  });
  if (values.out === undefined) throw new Error("--out names the folder to write to");
  const [seed, size] = [Number(values.seed), Number(values.size)];
  const scenes = values.index.split(",").map((index) => sampleScene(seed, Number(index)));
  const sprites = await Sprites.load(undefined, Math.max(256, size));
  await mkdir(values.out, { recursive: true });
  if (values.sheet !== undefined) {
    const pictures = scenes.map((scene) => render(scene, size, sprites));
    await writeFile(join(values.out, "sheet.png"), await contactSheet(pictures, Number(values.sheet)));
    return;
  }
  const described = [];
  for (const scene of scenes) {
    const file = `${scene.objects[0].concept.replaceAll(" ", "-")}-${scene.index}.png`;
    await writeFile(join(values.out, file), await encodePng(render(scene, size, sprites)));
    described.push({ file, caption: fullCaption(scene), candidates: candidates(scene), factors: scene });
  }
  await writeFile(join(values.out, "scenes.json"), `${JSON.stringify(described, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) await main();
