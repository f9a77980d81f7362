/**
 * Writes scenes for the trainer: raw pixels, one record a line, and the world's vocabulary.
 *
 *   npx tsx world/generate.ts --out DIR --seed 1 --shards 10 [--first 0] [--per-shard 10000] [--size 64]
 *     [--captions 4] [--style NAME]
 *
 * `images-000.u8` holds [n, size, size, 3] bytes; line i of `records-000.jsonl` is the scene and captions of
 * image i; `world.json` lists every factor's values with the texts that name them. Shard k of a seed is always
 * the same, so a run can be split over processes.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Caption, caption } from "./captions.ts";
import { conceptNamed } from "./concepts.ts";
import { TRAINING_STYLES } from "./factors.ts";
import { factorPrompts } from "./prompts.ts";
import { Random } from "./random.ts";
import { render } from "./render.ts";
import { type Scene, sampleScene } from "./scene.ts";
import { Sprites } from "./sprites.ts";

const CAPTION_STREAM = 0x5ca1ab1e;

/** A scene as the trainer reads it. */
export interface SceneRecord extends Scene {
  readonly groups: readonly string[];
  readonly captions: readonly Caption[];
}

/** The record of a scene with `captions` captions, drawn from a stream of their own. */
export function recordOf(scene: Scene, captions: number): SceneRecord {
  const random = new Random(scene.seed ^ CAPTION_STREAM, scene.index);
  return {
    ...scene,
    groups: scene.objects.map((object) => conceptNamed(object.concept).group),
    captions: Array.from({ length: captions }, () => caption(scene, random)),
  };
}

/** Writes through a temporary name, so that a file that exists is whole. */
async function writeWhole(path: string, data: Uint8Array | string): Promise<void> {
  await writeFile(`${path}.part`, data);
  await rename(`${path}.part`, path);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      seed: { type: "string", default: "1" },
      shards: { type: "string", default: "1" },
      first: { type: "string", default: "0" },
      "per-shard": { type: "string", default: "10000" },
      size: { type: "string", default: "64" },
      captions: { type: "string", default: "4" },
      style: { type: "string" },
    },
  });
  if (values.out === undefined) throw new Error("--out names the folder to write to");
  const [seed, shards, first] = [Number(values.seed), Number(values.shards), Number(values.first)];
  const [perShard, size, captions] = [
    Number(values["per-shard"]),
    Number(values.size),
    Number(values.captions),
  ];
  const styles = values.style === undefined ? TRAINING_STYLES : [values.style];
  await mkdir(values.out, { recursive: true });
  await writeWhole(
    join(values.out, "world.json"),
    JSON.stringify({ size, factors: factorPrompts() }, null, 1),
  );
  const sprites = await Sprites.load(styles);
  const pixels = new Uint8Array(perShard * size * size * 3);
  for (let shard = first; shard < first + shards; shard++) {
    const started = performance.now();
    const lines: string[] = [];
    for (let i = 0; i < perShard; i++) {
      const scene = sampleScene(seed, shard * perShard + i, { styles });
      render(scene, size, sprites, pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3));
      lines.push(JSON.stringify(recordOf(scene, captions)));
    }
    const rate = perShard / ((performance.now() - started) / 1000);
    const name = String(shard).padStart(3, "0");
    await writeWhole(join(values.out, `images-${name}.u8`), pixels);
    await writeWhole(join(values.out, `records-${name}.jsonl`), `${lines.join("\n")}\n`);
    console.log(`shard ${name}: ${perShard} images, ${Math.round(rate)} images/s`);
  }
}

if (process.argv[1] === import.meta.filename) await main();
