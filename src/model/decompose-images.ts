import { type KeptPool, type PoolOptions, preprocessAll, type ReadLater } from "../image/pool.ts";
import type { Preprocessed } from "../image/show.ts";
import type { ClipInterpretError } from "../support/errors.ts";
import type { ClipModel } from "./clip-model.ts";
import type { DecomposeOptions, TokenDecomposition } from "./decompose.ts";
import { normalizeAll } from "./pixels.ts";

/** A batch of images decomposed together, and those in between that could not be decoded. */
export interface DecomposedBatch<Source> {
  readonly images: readonly { readonly source: Source; readonly shown: Preprocessed }[];
  /** One entry per image of `images`; absent when every image of the batch was bad. */
  readonly decomposition?: TokenDecomposition;
  readonly rejected: readonly { readonly source: Source; readonly error: ClipInterpretError }[];
}

/** Images in one run of the encoder: more gains nothing on a CPU and costs memory. */
const BATCH = 16;

/**
 * Decomposes many images, in the order of `sources`, which may be endless. Threads decode and resize a few
 * batches ahead, so that the encoder is never idle; memory is bounded by `ahead` images and one batch.
 *
 * A bad image is reported in its batch and stops nothing.
 * @throws `CANCELLED` when the signal fires; `SUM_MISMATCH`
 * @example
 * ```ts
 * import { decomposeImages } from "clip-interpret/kernel";
 * import { openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const files = ["0067-monkey", "0049-snowboarder"].map((name) => `examples/scenes/images/${name}.png`);
 * for await (const { decomposition, rejected } of decomposeImages(model, files)) {
 *   console.log(decomposition?.count, rejected.length); // → 2 0
 * }
 * ```
 */
export async function* decomposeImages<Source extends string | Uint8Array | ReadLater>(
  model: ClipModel,
  sources: Iterable<Source> | AsyncIterable<Source>,
  {
    batch = BATCH,
    tokenLayers = [],
    ...pool
  }: PoolOptions & KeptPool & Omit<DecomposeOptions, "gate"> & { batch?: number; ahead?: number } = {},
): AsyncGenerator<DecomposedBatch<Source>, void, undefined> {
  const { preprocess } = model.config;
  let images: { source: Source; shown: Preprocessed }[] = [];
  let rejected: { source: Source; error: ClipInterpretError }[] = [];
  const flush = async (): Promise<DecomposedBatch<Source>> => {
    const shown = images.map((image) => image.shown);
    const decomposition =
      images.length > 0 ? await model.decompose(normalizeAll(shown, preprocess), { tokenLayers }) : undefined;
    const done = { images, rejected, ...(decomposition && { decomposition }) };
    images = [];
    rejected = [];
    return done;
  };
  for await (const outcome of preprocessAll(sources, preprocess, { ahead: 4 * batch, ...pool })) {
    if ("error" in outcome) rejected.push(outcome);
    else images.push({ source: outcome.source, shown: outcome.image });
    if (images.length + rejected.length === batch) yield await flush();
  }
  if (images.length + rejected.length > 0) yield await flush();
}
