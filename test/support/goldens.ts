import { fileURLToPath } from "node:url";
import type { ClipModel } from "../../src/model/clip-model.ts";
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

/** Token ids with what fills them up, where the tower reads it; else from start to end token. */
export async function goldenTextTokens(
  folder: string,
  model: Pick<ClipModel, "config" | "checkpoint">,
): Promise<number[][]> {
  const { shape, data } = await readNpy(goldenPath(`${folder}/text_tokens.npy`));
  const [texts, context] = shape as [number, number];
  const all = Array.from(data as BigInt64Array, Number);
  const rows = Array.from({ length: texts }, (_, i) => all.slice(i * context, (i + 1) * context));
  if ("unsupported" in model.config.text || !model.config.text.causal) return rows;
  const { pooling } = model.checkpoint.textRules;
  return rows.map((row) => {
    const end = typeof pooling === "number" ? pooling : Math.max(...row);
    return row.slice(0, row.indexOf(end) + 1);
  });
}
