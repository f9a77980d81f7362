import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet } from "../../model/components.ts";
import { singularDirections } from "../../model/singular-directions.ts";
import { headOf } from "../../results/shapes.ts";
import { fileIn } from "../../support/disk-paths.ts";
import { writeWhole } from "../../support/files.ts";
import { createNpyWriter, type NpyWriter } from "../../support/npy-stream.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";

/**
 * Writes the singular directions of heads as arrays: `singular_values.npy` [h, r], `writes.npy` [h, r, D], where a head writes
 * along in the joint space, `reads.npy` [h, r, W], what it reads for that of the normalised residual, all float32, and `heads.json`, the
 * heads in this order. r is the numbers of a head's z; a head with fewer directions has zeros behind them.
 *
 * @returns the files
 * @throws `MODEL_UNSUPPORTED` for models that pool by attention; `OUTPUT_UNWRITABLE`, `CANCELLED`
 */
export async function writeDirections(
  model: ClipModel,
  { heads }: Pick<ComponentSet, "heads">,
  folder: string,
  { signal }: WorkOptions = {},
): Promise<string[]> {
  const { headDim: most, embedDim } = model.geometry;
  const { width } = model.config.vision;
  const directionsOf = singularDirections(model);
  const arrays = [
    { name: "singular_values", size: 1 },
    { name: "writes", size: embedDim },
    { name: "reads", size: width },
  ];
  const files = arrays.map(({ name }) => fileIn(folder, `${name}.npy`));
  const writers: NpyWriter[] = [];
  try {
    for (const [i, { size }] of arrays.entries())
      writers.push(await createNpyWriter(files[i], [heads.length, most, ...(size > 1 ? [size] : [])]));
    for (const { layer, head } of heads) {
      checkCancelled(signal);
      const { values, writes, reads } = await directionsOf(layer, head);
      for (const [i, own] of [values, writes, reads()].entries()) {
        const row = new Float32Array(most * arrays[i].size);
        row.set(own);
        await writers[i].append(row);
      }
    }
    for (const writer of writers) await writer.finish();
  } finally {
    for (const writer of writers) await writer.discard();
  }
  const named = fileIn(folder, "heads.json");
  await writeWhole(named, `${JSON.stringify(heads.map(({ layer, head }) => headOf(layer, head).name))}\n`);
  return [...files, named];
}
