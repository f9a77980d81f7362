import type { ClipModel } from "../../model/clip-model.ts";
import { mlpCount } from "../../model/components.ts";
import { denseHeads, denseTokens } from "../../model/dense.ts";
import { type DecomposeResult, decomposeResult } from "../../results/decompose.ts";
import { originOf } from "../../results/origin.ts";
import { fileIn } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { createNpyWriter, type NpyRows, type NpyWriter } from "../../support/npy-stream.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";

const BATCH = 8;

/**
 * Decomposes pixels into the arrays of the reference scripts (Gandelsman et al., `compute_prs.py`):
 * `attention_contributions.npy` [b, L, H, D] or, with `spatial`, [b, L, N, H, D]; `mlp_contributions.npy`
 * [b, L+1, D], both divided by ‖e‖; `image_embedding.npy` [b, D], raw.
 *
 * Memory does not grow with the number of images. The files appear when all are complete.
 *
 * @param pixels float32 [b, 3, size, size], normalised
 * @throws `PIXELS_MISMATCH`, `OUTPUT_UNWRITABLE`, `CANCELLED`, `SUM_MISMATCH`
 */
export async function writeReferenceArrays(
  model: ClipModel,
  pixels: NpyRows,
  folder: string,
  { spatial = false, report, signal }: WorkOptions & { readonly spatial?: boolean } = {},
): Promise<DecomposeResult> {
  const { vision, embedDim } = model.config;
  const { layers, heads, tokens, imageSize } = vision;
  const [images, channels, height, width] = pixels.shape;
  if (images < 1 || channels !== 3 || height !== imageSize || width !== imageSize) {
    const wanted = `[n, 3, ${imageSize}, ${imageSize}]`;
    throw new ClipInterpretError(
      "PIXELS_MISMATCH",
      `pixels are [${pixels.shape.join(", ")}]; ${model.name} reads ${wanted}`,
    );
  }
  const shapes = {
    attention_contributions: [images, layers, ...(spatial ? [tokens] : []), heads, embedDim],
    mlp_contributions: [images, mlpCount(model.geometry), embedDim],
    image_embedding: [images, embedDim],
  };
  const files = Object.entries(shapes).map(([name, shape]) => ({
    path: fileIn(folder, `${name}.npy`),
    shape,
  }));
  const tokenLayers = spatial ? Array.from({ length: layers }, (_, layer) => layer) : [];
  const writers: NpyWriter[] = [];
  let sumError = 0;
  try {
    for (const { path, shape } of files) writers.push(await createNpyWriter(path, shape));
    const [attention, mlps, embedding] = writers;
    report?.({ type: "start", task: "decompose", unit: "image", total: images });
    for (let start = 0; start < images; start += BATCH) {
      checkCancelled(signal);
      const batch = await pixels.read(start, Math.min(BATCH, images - start));
      if (!batch.every(Number.isFinite)) {
        const which = `${start}–${start + BATCH - 1}`;
        throw new ClipInterpretError(
          "NPY_INVALID",
          `the pixels of images ${which} hold NaN or infinite values`,
        );
      }
      const parts = await model.decompose(batch, { tokenLayers });
      if (!spatial) await attention.append(await denseHeads(model.matmul, model.geometry, parts));
      for (let image = 0; spatial && image < parts.count; image++) {
        for (const layer of tokenLayers) {
          await attention.append(await denseTokens(model.matmul, model.geometry, parts, layer, image));
        }
      }
      await mlps.append(parts.mlps);
      await embedding.append(parts.embedding);
      sumError = Math.max(sumError, ...parts.error);
      report?.({ type: "advance", task: "decompose", done: start + parts.count, total: images });
    }
    for (const writer of writers) await writer.finish();
    report?.({ type: "end", task: "decompose", done: images });
  } finally {
    for (const writer of writers) await writer.discard();
  }
  return decomposeResult(await originOf({ model }), { images, files, sumError });
}
