import type { ClipModel } from "../model/clip-model.ts";
import type { Report } from "../support/progress.ts";
import { requireModelOf } from "./manifest.ts";
import { readIndex } from "./open-index.ts";
import { createSearch, type Search } from "./search.ts";

/**
 * Opens an index for questions, with the model that made it. A shard that is damaged is left out with a warning.
 *
 * @throws `INDEX_INVALID`, `INPUT_UNREADABLE`; `INDEX_CORRUPT` when no shard is whole; `INDEX_MISMATCH` for an index of
 *   another model; `INDEX_TOO_LARGE`
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * console.log(index.images.length, index.images[0].path); // → 120 images/0000-mobile-phone.png
 * ```
 */
export async function openIndex(
  model: ClipModel,
  folder: string,
  options: { readonly report?: Report } = {},
): Promise<Search> {
  const index = await readIndex(folder, options);
  await requireModelOf(index, model);
  return createSearch(index, model.geometry, model.matmul);
}
