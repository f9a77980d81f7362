import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Activation } from "../../src/checkpoint/model-config.ts";
import { CHECKPOINT_LAYOUTS, type RandomShape } from "./checkpoint-layouts.ts";
import { toHalf } from "./half.ts";
import { layOut, safetensorsHeader } from "./safetensors.ts";

/** How a made-up checkpoint is stored. */
export interface RandomStorage {
  /** Whose files and names; OpenCLIP's by default. */
  readonly layout?: keyof typeof CHECKPOINT_LAYOUTS;
  readonly dtype?: "F32" | "F16";
  readonly activation?: Activation;
  /** Other seeds give other weights; 0 by default. */
  readonly seed?: number;
}

/**
 * Writes a checkpoint with random weights in a real repository's file layout: real in everything but what it
 * knows. Activations stay in a trained model's range (weights uniform with variance 1/fan-in). Deterministic.
 */
export async function writeRandomCheckpoint(
  folder: string,
  shape: RandomShape,
  { layout = "open_clip", dtype = "F32", activation = "gelu", seed = 0 }: RandomStorage = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { weights, tensors, configs } = CHECKPOINT_LAYOUTS[layout];
  const named = tensors(shape);
  const bytes = dtype === "F32" ? 4 : 2;
  const file = await open(join(folder, weights), "w");
  try {
    const sized = named.map(
      ([name, dims]) => [name, { dtype, shape: dims, length: bytes * product(dims) }] as const,
    );
    await file.write(safetensorsHeader(layOut(sized)));
    for (const [name, dims] of named) {
      const values = randomTensor(name, dims, dtype, seed);
      await file.write(Buffer.from(values.buffer, 0, values.byteLength));
    }
  } finally {
    await file.close();
  }
  for (const [name, config] of Object.entries(configs(shape, activation)))
    await writeFile(join(folder, name), JSON.stringify(config, undefined, 2));
}

const product = (dims: readonly number[]) => dims.reduce((total, size) => total * size, 1);

/** Levels that a tensor's values take: enough for weights that mean nothing, few enough to look up. */
const LEVELS = 4096;

function randomTensor(
  name: string,
  dims: readonly number[],
  dtype: "F32" | "F16",
  seed: number,
): Float32Array | Uint16Array {
  const fanIn = dims.length > 1 ? product(dims.slice(1)) : 100;
  const scale = Math.sqrt(12 / fanIn);
  const centre = /(ln_\w+|norm\w*)\.weight$/.test(name) ? 1 : 0;
  const levels = Array.from({ length: LEVELS }, (_, i) => centre + scale * ((i + 0.5) / LEVELS - 0.5));
  const table = dtype === "F32" ? Float32Array.from(levels) : Uint16Array.from(levels, toHalf);
  const values = dtype === "F32" ? new Float32Array(product(dims)) : new Uint16Array(product(dims));
  const seeded = seed === 0 ? name : `${name} ${seed}`;
  let state = [...seeded].reduce(
    (hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193),
    0x811c9dc5,
  );
  for (let i = 0; i < values.length; i++) {
    // xorshift32: fast, and good enough here.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = table[state >>> 20];
  }
  return values;
}
