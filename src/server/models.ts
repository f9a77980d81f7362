import { type CatalogueEntry, listModels } from "../model/catalogue.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { modelNotice } from "../model/notices.ts";
import { isEmbedded, type ModelLoader } from "../model/registry.ts";
import type { ModelDetail } from "../results/app.ts";
import type { Environment } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";

/** The models that clients may name: those of the list that are here, and the one that the server was started with. */
export interface ServedModels {
  readonly defaultModel: string;
  /** Every model that could be here, without folders of this machine. */
  list(): Promise<CatalogueEntry[]>;
  /** Loads a model once. @throws `MODEL_NOT_FOUND`, also for what would be a folder */
  load(name: string): Promise<ClipModel>;
}

/** Serves a loader's models. */
export function serveModels(
  loader: ModelLoader,
  defaultModel: string,
  environment: Environment = process.env,
): ServedModels {
  const list = async () => (await listModels(environment)).map((model) => ({ ...model, folder: null }));
  return {
    defaultModel,
    list,
    async load(name) {
      // A client names models, never folders: a name that is not listed is not looked for on the disk.
      const isListed = isEmbedded(name) || (await list()).some((one) => one.name === name && one.present);
      if (name === defaultModel || isListed) return loader.load(name);
      throw new ClipInterpretError("MODEL_NOT_FOUND", `the model "${name.slice(0, 100)}" is not here`, {
        hint: "Fetch it first: the list of models says how large each is.",
      });
    },
  };
}

/** What a page needs to know of a model. */
export async function describeModel(model: ClipModel): Promise<ModelDetail> {
  const { layers, heads, headDim, grid, imageSize } = model.config.vision;
  const { name, precision, device } = model;
  return {
    ...{ name, embedded: isEmbedded(name), precision, device, weights: await model.weightsHash() },
    ...{ layers, heads, headDim, imageSize, grid: { rows: grid, columns: grid } },
    notice: modelNotice(model) ?? null,
  };
}
