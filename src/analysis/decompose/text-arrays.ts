import type { ClipModel } from "../../model/clip-model.ts";
import { decomposeText } from "../../model/decompose-text.ts";
import { denseHeads, denseTokens } from "../../model/dense.ts";
import { truncatedIn } from "../../model/notices.ts";
import { type DecomposeTextsResult, decomposeTextsResult } from "../../results/decompose.ts";
import { originOf } from "../../results/origin.ts";
import { fileIn } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { createNpyWriter, type NpyWriter } from "../../support/npy-stream.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";

/**
 * Decomposes texts into arrays of the shape that images' have: `text_attention_contributions.npy` [t, L, H, D] or, with `spatial`,
 * [t, L, N, H, D]; `text_mlp_contributions.npy` [t, L+1, D], both divided by ‖t‖; `text_embedding.npy` [t, D], raw. N is the
 * longest text's tokens; what a shorter one has not is 0. The result says which tokens are which word.
 *
 * @throws `TEXTS_EMPTY`, `TEXTS_UNSUPPORTED`, `OUTPUT_UNWRITABLE`, `CANCELLED`, `SUM_MISMATCH`
 */
export async function writeTextArrays(
  model: ClipModel,
  texts: readonly string[],
  folder: string,
  { spatial = false, report, signal }: WorkOptions & { readonly spatial?: boolean } = {},
): Promise<DecomposeTextsResult> {
  if (texts.length === 0 || texts.some((text) => text.trim() === ""))
    throw new ClipInterpretError("TEXTS_EMPTY", "there is no text to decompose, or one is blank");
  const geometry = await model.textGeometry();
  const { layers, heads, embedDim } = geometry;
  const tokens = await model.tokenizeTexts(texts, { ...(report && { report }) });
  // A tower may put tokens of its own behind a text's: a text that is as long as the longest says how many.
  const most = Math.max(...tokens.map(({ length }) => length));
  const { ids } = await decomposeText(model, texts[tokens.findIndex(({ length }) => length === most)]);
  const longest = ids.length;
  const shapes = {
    text_attention_contributions: [texts.length, layers, ...(spatial ? [longest] : []), heads, embedDim],
    text_mlp_contributions: [texts.length, layers + 1, embedDim],
    text_embedding: [texts.length, embedDim],
  };
  const files = Object.entries(shapes).map(([name, shape]) => ({
    path: fileIn(folder, `${name}.npy`),
    shape,
  }));
  const writers: NpyWriter[] = [];
  const read: DecomposeTextsResult["texts"] = [];
  let sumError = 0;
  try {
    for (const { path, shape } of files) writers.push(await createNpyWriter(path, shape));
    const [attention, mlps, embedding] = writers;
    for (const text of texts) {
      checkCancelled(signal);
      const parts = await decomposeText(model, text);
      if (!spatial) await attention.append(await denseHeads(model.matmul, geometry, parts));
      for (let layer = 0; spatial && layer < layers; layer++) {
        const rows = new Float32Array(longest * heads * embedDim);
        rows.set(await denseTokens(model.matmul, geometry, parts, layer, 0));
        await attention.append(rows);
      }
      await mlps.append(parts.mlps);
      await embedding.append(parts.embedding);
      sumError = Math.max(sumError, ...parts.error);
      const words = parts.words.map((word) => ({
        ...word,
        tokens: [...word.tokens],
        pieces: [...word.pieces],
      }));
      read.push({ text, words });
    }
    for (const writer of writers) await writer.finish();
  } finally {
    for (const writer of writers) await writer.discard();
  }
  const found = { texts: read, files, sumError, ...(await truncatedIn(model, texts)) };
  return decomposeTextsResult(await originOf({ model }), found);
}
