/**
 * Writes scenes for the trainer: raw pixels, one record a line, and the world's vocabulary.
 *
 *   npx tsx training/generate.ts --out DIR [--split train] [--shards 1] [--first 0] [--per-shard 10000] [--size 64]
 *     [--captions 4]
 *
 * `images-000.u8` holds [n, size, size, 3] bytes; line i of `records-000.jsonl` is the scene and captions of
 * image i; `world.json` lists every factor's values with the texts that name them, and the planted bias. Shard k
 * of a split is always the same, so a run can be spread over processes.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { factorPrompts } from "../src/world/prompts.ts";
import { recordOf } from "../src/world/record.ts";
import { render } from "../src/world/render.ts";
import { sampleScene } from "../src/world/scene.ts";
import { BIAS_BACKGROUNDS, BIASED_PAIRS, SPLIT_NAMES, SPLITS } from "../src/world/splits.ts";
import { Sprites } from "../src/world/sprites.ts";

/** Writes through a temporary name, so that a file that exists is whole. */
async function writeWhole(path: string, data: Uint8Array | string): Promise<void> {
  await writeFile(`${path}.part`, data);
  await rename(`${path}.part`, path);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      split: { type: "string", default: "train" },
      shards: { type: "string", default: "1" },
      first: { type: "string", default: "0" },
      "per-shard": { type: "string", default: "10000" },
      size: { type: "string", default: "64" },
      captions: { type: "string", default: "4" },
    },
  });
  if (values.out === undefined) throw new Error("--out names the folder to write to");
  const split = SPLIT_NAMES.find((name) => name === values.split);
  if (split === undefined) throw new Error(`--split is one of ${SPLIT_NAMES.join(", ")}`);
  const [shards, first, perShard, size, captions] = [
    Number(values.shards),
    Number(values.first),
    Number(values["per-shard"]),
    Number(values.size),
    Number(values.captions),
  ];
  await mkdir(values.out, { recursive: true });
  const bias = { backgrounds: BIAS_BACKGROUNDS, pairs: BIASED_PAIRS };
  const world = { split, size, factors: factorPrompts(), bias };
  await writeWhole(join(values.out, "world.json"), JSON.stringify(world, null, 1));
  const sprites = await Sprites.load(SPLITS[split].styles);
  const pixels = new Uint8Array(perShard * size * size * 3);
  for (let shard = first; shard < first + shards; shard++) {
    const started = performance.now();
    const lines: string[] = [];
    for (let i = 0; i < perShard; i++) {
      const scene = sampleScene(split, shard * perShard + i);
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
