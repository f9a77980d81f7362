import { unwrapFolder } from "../checkpoint/wrapped-folder.ts";
import { findCached, hubIdOfFolder } from "../hub/cache.ts";
import { cacheFolder } from "../hub/environment.ts";
import { findHubModel, refuseName, suggestModels } from "../hub/known-models.ts";
import { hintFor } from "../hub/pull.ts";
import { disk } from "../support/disk-bytes.ts";
import { fileIn, fullPath, nameOnDisk, packaged } from "../support/disk-paths.ts";
import type { Environment } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isFolder } from "../support/files.ts";
import { sharedCache } from "../support/shared.ts";
import type { ClipModel, ModelOptions } from "./clip-model.ts";
import { DEFAULT_MODEL, EMBEDDED_MODELS, isEmbedded } from "./embedded.ts";
import { loadClipModel } from "./load-model.ts";

/** A model that was named, found on disk. */
export interface LocatedModel {
  readonly name: string;
  readonly folder: string;
  readonly embedded: boolean;
}

/** Where the embedded models lie. */
const EMBEDDED_FOLDER = packaged("models/");

/**
 * Finds a model: an embedded one by its name, a folder by its path, one from the hub by its known name or hub id in
 * the hub's cache. A folder wins over the cache. Nothing is fetched.
 *
 * A known model is called by its known name, which says which activation its weights need where their config does not.
 * @throws `MODEL_NOT_FOUND`; `MODEL_UNSUPPORTED` for the name of a model that cannot be taken apart
 */
export async function locateModel(
  nameOrFolder: string,
  environment: Environment = process.env,
): Promise<LocatedModel> {
  if (isEmbedded(nameOrFolder)) return embeddedModel(nameOrFolder);
  const asked = fullPath(nameOrFolder);
  if (await isFolder(asked)) {
    const folder = await unwrapFolder(disk, asked);
    // A snapshot in a cache is named after a commit, which says nothing.
    const hubId = hubIdOfFolder(folder);
    return {
      name: hubId ? (findHubModel(hubId)?.name ?? hubId) : nameOnDisk(asked),
      folder,
      embedded: false,
    };
  }
  const named = await findNamed(nameOrFolder, environment);
  if (named) return named;
  refuseName(nameOrFolder);
  throw notFound(nameOrFolder, environment);
}

const embeddedModel = (name: string): LocatedModel => ({
  ...{ name, folder: fileIn(EMBEDDED_FOLDER, name), embedded: true },
});

/** Finds a model that has a name of its own: an embedded one, or one in the hub's cache. Folders are not looked for. */
async function findNamed(name: string, environment: Environment): Promise<LocatedModel | undefined> {
  if (isEmbedded(name)) return embeddedModel(name);
  const model = findHubModel(name);
  const cached = model && (await findCached(cacheFolder(environment), model.hubId));
  return cached && { name: model.name, folder: cached.folder, embedded: false };
}

/** What finds a model again: its name, or else its folder. */
export const whatFinds = async (model: ClipModel): Promise<string> =>
  (await isFoundByName(model)) ? model.name : model.checkpoint.folder;

/**
 * True for a model that its name finds again on any machine that has it: an embedded one, or one in the hub's cache.
 * Any other is a folder, whose name says nothing of where it is.
 */
export async function isFoundByName(
  { name, checkpoint }: Pick<ClipModel, "name" | "checkpoint">,
  environment: Environment = process.env,
): Promise<boolean> {
  const named = await findNamed(name, environment);
  return named !== undefined && fullPath(named.folder) === fullPath(checkpoint.folder);
}

function notFound(text: string, environment: Environment): ClipInterpretError {
  const model = findHubModel(text);
  if (!model) {
    const known = EMBEDDED_MODELS.join(", ");
    const message = `no model "${text}": not embedded (${known}), no known name or hub id, and no such folder`;
    return new ClipInterpretError("MODEL_NOT_FOUND", message, { hint: hintFor(text) });
  }
  const pull = `\`clip-interpret pull ${model.name}\``;
  const message = `no model "${text}": no such folder, and not in ${cacheFolder(environment)}`;
  const hint = model.known
    ? `${pull} fetches it (about ${model.known.approximateMegabytes} MB).`
    : `If it is a model on the hub, ${pull} fetches it; if it is a folder, check the path.${didYouMean(text)}`;
  return new ClipInterpretError("MODEL_NOT_FOUND", message, { hint });
}

/**
 * Opens a model: finds it and loads it. Nothing is fetched; `pullModel` does that.
 *
 * @param nameOrFolder a name that `listModels` lists, the hub id of a model that was pulled, or a folder with a
 *   checkpoint; by default the first embedded model
 * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `CONFIG_INVALID`, `CHECKPOINT_INVALID`, `CHECKPOINT_MISMATCH`,
 *   `DEVICE_UNAVAILABLE`
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { layers, heads } = model.config.vision;
 * console.log(`${layers} layers of ${heads} heads, in ${model.precision}`); // → 4 layers of 4 heads, in fp32
 * await model.release();
 * ```
 */
export async function openModel(
  nameOrFolder: string = DEFAULT_MODEL,
  options: ModelOptions = {},
): Promise<ClipModel> {
  const { name, folder } = await locateModel(nameOrFolder);
  return loadClipModel(folder, name, options);
}

function didYouMean(text: string): string {
  const names = suggestModels(text).map(({ name }) => name);
  return names.length === 0 ? "" : ` Or did you mean ${names.join(" or ")}?`;
}

/** Loads models by name; callers that ask for one model share one load, and a failed load is tried again. */
export interface ModelLoader {
  /** @param otherwise how the model computes where the loader's own options do not say */
  load(nameOrFolder: string, otherwise?: ModelOptions): Promise<ClipModel>;
  release(): Promise<void>;
}

/** Models that are kept; one that is let go of works on for whoever has it. */
const MOST_MODELS = 16;

/** Makes a loader whose models all run with these options. */
export function createModelLoader(options: ModelOptions = {}): ModelLoader {
  const loads = sharedCache<ClipModel>(MOST_MODELS);
  return {
    async load(nameOrFolder, otherwise = {}) {
      const { name, folder } = await locateModel(nameOrFolder);
      const { precision = "fp32", device = "cpu", ...rest } = { ...otherwise, ...options };
      const key = JSON.stringify([folder, precision, device, rest.activation, rest.registers]);
      return loads.get(key, () => loadClipModel(folder, name, { precision, device, ...rest }));
    },
    async release() {
      const models = await Promise.allSettled(loads.clear());
      for (const result of models) if (result.status === "fulfilled") await result.value.release();
    },
  };
}
