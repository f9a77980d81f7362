import { fileURLToPath } from "node:url";
import { readFloatNpy, readNpy } from "../../src/support/npy.ts";

/** Path of a file in `test/goldens`. */
export const goldenPath = (path: string): string =>
  fileURLToPath(new URL(`../goldens/${path}`, import.meta.url));

export const MODELS = ["gelu-p8", "quickgelu-p14"] as const;
export const LAYOUTS = ["open_clip", "transformers"] as const;

/** A golden float array, of any rank. */
export async function goldenArray(
  path: string,
  rank: number,
): Promise<{ shape: number[]; data: Float32Array }> {
  return readFloatNpy(goldenPath(path), rank);
}

/** The golden token ids as lists from start token to end token (the highest id; padding behind it dropped). */
export async function goldenTokens(model: string): Promise<number[][]> {
  const { shape, data } = await readNpy(goldenPath(`${model}/text_tokens.npy`));
  const [texts, context] = shape;
  const all = Array.from(data as BigInt64Array, Number);
  return Array.from({ length: texts }, (_, i) => {
    const row = all.slice(i * context, (i + 1) * context);
    return row.slice(0, row.indexOf(Math.max(...row)) + 1);
  });
}
