import { requireFinite } from "../checkpoint/finite.ts";
import { type CatalogueEntry, folderEntry, listModels } from "../model/catalogue.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { isEmbedded } from "../model/embedded.ts";
import { isFoundByName, type ModelLoader } from "../model/registry.ts";
import { disk } from "../support/disk-bytes.ts";
import type { Environment } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";

/** A model with what clients ask for it by: what its answers, caches and jobs are told apart by. */
export interface ServedModel extends ClipModel {
  readonly id: string;
  /** What the loader finds it by. Never sent to clients. */
  readonly place: string;
}

/** The models that clients may name: those of the list that are here, and those that the server was started with. */
export interface ServedModels {
  /** The id of the one that is shown when none is asked for. */
  readonly defaultModel: string;
  /** The ids of those that the server was started with. */
  readonly given: readonly string[];
  /** Every model that could be here, by id, without folders of this machine. */
  list(): Promise<CatalogueEntry[]>;
  /** Loads a model once. @throws `MODEL_NOT_FOUND`, also for what would be a folder */
  load(id: string): Promise<ServedModel>;
}

/**
 * Serves a loader's models, and loads those that the server is started with.
 * @param given names or folders as a user writes them; the first is the default
 * @param onDefault hears of the default as soon as it is loaded, while its weights are still read
 * @throws `MODEL_NOT_FOUND`, `CHECKPOINT_INVALID` for weights that are not numbers, and what else loading a model throws
 */
export async function serveModels(
  loader: ModelLoader,
  given: readonly string[],
  environment: Environment = process.env,
  onDefault: (model: ClipModel) => void = () => {},
): Promise<ServedModels> {
  const ids: string[] = [];
  /** What the loader finds a folder by. */
  const folders = new Map<string, { readonly path: string; readonly name: string }>();
  for (const named of given) {
    const model = await loader.load(named);
    if (ids.length === 0) onDefault(model);
    // Each reads all weights, in a thread of its own.
    const [id] = await Promise.all([idOf(model, environment), requireFinite(disk, model.checkpoint.weights)]);
    ids.push(id);
    if (id !== model.name) folders.set(id, { path: model.checkpoint.folder, name: model.name });
  }
  const listed = async (): Promise<CatalogueEntry[]> => [
    ...(await Promise.all([...folders].map(([id, { path, name }]) => folderEntry(id, path, name)))),
    ...(await listModels(environment)),
  ];
  const list = async () => (await listed()).map((entry) => ({ ...entry, folder: null }));
  const served = new WeakMap<ClipModel, ServedModel>();
  return {
    defaultModel: ids[0],
    given: ids,
    list,
    async load(id) {
      // A client names models, never folders: a name that is not listed is not looked for on the disk.
      const place = folders.get(id)?.path ?? (isEmbedded(id) ? id : await cachedFolder(id, environment));
      const model = await loader.load(place);
      const known = served.get(model) ?? { ...model, id, place };
      served.set(model, known);
      return known;
    },
  };
}

/** Where a listed model of the hub's cache lies. @throws `MODEL_NOT_FOUND` */
async function cachedFolder(id: string, environment: Environment): Promise<string> {
  const found = (await listModels(environment)).find((one) => one.name === id && one.present)?.folder;
  if (found) return found;
  throw new ClipInterpretError("MODEL_NOT_FOUND", `the model "${id.slice(0, 100)}" is not here`, {
    hint: "Choose one of the list of models; some that are not here can be fetched there.",
  });
}

/**
 * What clients ask for a model by: its name where that finds it, or else its folder's name with digits of a hash of
 * weights and config, which say the same model after any restart and wherever it lies.
 */
async function idOf(model: ClipModel, environment: Environment): Promise<string> {
  if (await isFoundByName(model, environment)) return model.name;
  const digits = sha256Of(JSON.stringify([await model.weightsHash(), model.config])).slice(0, 8);
  const words = model.name.replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${words.slice(0, 60) || "model"}-${digits}`;
}
