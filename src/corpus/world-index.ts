/** An index of the generated world, drawn and made when it is first asked for and kept in this program's cache. */
import { join } from "node:path";
import type { ClipModel } from "../model/clip-model.ts";
import { ownCacheFolder } from "../support/environment.ts";
import type { WorkOptions } from "../support/progress.ts";
import { planCorpus, writeCorpus } from "../world/corpus.ts";
import type { SplitName } from "../world/splits.ts";
import { buildIndex } from "./build.ts";
import { type Index, readIndex } from "./open-index.ts";
import { scanSource } from "./source.ts";

/** Which part of the world. */
export interface WorldIndexOptions extends WorkOptions {
  readonly split: SplitName;
  readonly images: number;
  /** Side of the pictures. Default: what the model is shown, so that nothing is scaled. */
  readonly size?: number;
  /** Default: this program's cache. */
  readonly cacheFolder?: string;
}

/**
 * The index of the first scenes of a split. A run that was stopped goes on.
 * @throws `CORPUS_MISMATCH`, `OUTPUT_UNWRITABLE`, `DISK_FULL`, `CANCELLED`
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { worldIndex } from "clip-interpret/world";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await worldIndex(model, { split: "demo", images: 10 });
 * console.log(index.images.length, index.images[0].factors.style); // → 10 flat
 * ```
 */
export async function worldIndex(
  model: ClipModel,
  { split, images, size, cacheFolder = ownCacheFolder(process.env), report, signal }: WorldIndexOptions,
): Promise<Index> {
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const indices = Array.from({ length: images }, (_, i) => i);
  const plan = await planCorpus({ split, indices, size: size ?? model.config.vision.imageSize });
  const name = `${split}-${images}-${plan.key}`;
  const corpus = join(cacheFolder, "worlds", name);
  await writeCorpus(corpus, plan, work);
  const weights = (await model.weightsHash()).slice(0, 12);
  const folder = join(cacheFolder, "indexes", `${name}-${weights}-${model.precision}-${model.device}`);
  await buildIndex(model, await scanSource(corpus, work), folder, work);
  return readIndex(folder, work);
}
