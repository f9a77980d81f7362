import type { ClipModel } from "../model/clip-model.ts";
import { isEmbedded } from "../model/embedded.ts";
import { modelNotice } from "../model/notices.ts";
import type { ModelDetail } from "../results/app.ts";

/** What a page needs to know of a model. */
export async function describeModel(model: ClipModel & { readonly id: string }): Promise<ModelDetail> {
  const { layers, heads, headDim, grid, imageSize } = model.config.vision;
  const { id: name, precision, device } = model;
  return {
    ...{ name, embedded: isEmbedded(name), precision, device, weights: await model.weightsHash() },
    ...{ layers, heads, headDim, imageSize, grid: { rows: grid, columns: grid } },
    notice: modelNotice(model) ?? null,
  };
}
