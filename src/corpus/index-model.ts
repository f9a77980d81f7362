/** An index brings its model: where it was is written down, and found again when nobody names another. */
import { isAbsolute, relative, resolve } from "node:path";
import type { ClipModel, ModelOptions } from "../model/clip-model.ts";
import { isFoundByName, type ModelLoader } from "../model/registry.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isFolder } from "../support/files.ts";
import { type Manifest, requireModelOf } from "./manifest.ts";
import { readManifest } from "./manifest-file.ts";
import { type Index, readIndex } from "./open-index.ts";
import { openShards } from "./open-shards.ts";
import type { ReadOptions, ShardedIndex } from "./sharded-index.ts";
import { isStoreAddress, storeAt } from "./store-at.ts";

/** Where a model lies, as its index keeps it; undefined for one that its name finds. */
export async function folderOf(model: ClipModel, index: string): Promise<Manifest["model"]["folder"]> {
  if (await isFoundByName(model)) return undefined;
  const absolute = resolve(model.checkpoint.folder);
  if (isStoreAddress(index)) return { absolute, relative: null };
  // Two drives of one machine have no way from one to the other.
  const way = relative(index, absolute);
  return { absolute, relative: isAbsolute(way) ? null : way.replaceAll("\\", "/") };
}

/** What of an index says what made it. */
type Made = Pick<ShardedIndex, "folder" | "manifest">;

/**
 * Opens an index with the model that made it, computed as it was then where the loader does not say how.
 * @param named the model to use instead of looking for it: a name or folder, as a user gave it
 * @throws what {@link readIndex} and loading a model throw; `MODEL_NOT_FOUND` when the index's model is not where it was;
 *   `INDEX_MISMATCH` when what is there, or what was named, is another
 */
export async function openWithModel(
  folder: string,
  loader: ModelLoader,
  { named, ...options }: ReadOptions & { readonly named?: string | undefined } = {},
): Promise<{ index: Index; model: ClipModel }> {
  return withModel(await readIndex(folder, options), loader, named);
}

/** {@link openWithModel} for an index of any size, whose rows stay where they are. @throws the same */
export async function openShardsWithModel(
  folder: string,
  loader: ModelLoader,
  { named, ...options }: ReadOptions & { readonly named?: string | undefined } = {},
): Promise<{ index: ShardedIndex; model: ClipModel }> {
  return withModel(await openShards(folder, options), loader, named);
}

async function withModel<I extends ShardedIndex>(
  index: I,
  loader: ModelLoader,
  named: string | undefined,
): Promise<{ index: I; model: ClipModel }> {
  const model = named === undefined ? await findModel(index, loader) : await loadAsMade(index, loader, named);
  await requireModelOf(index, model);
  return { index, model };
}

/** The model that made an index, even where the index is damaged; undefined where there is no index. @throws as {@link openWithModel} */
export async function modelOfIndex(folder: string, loader: ModelLoader): Promise<ClipModel | undefined> {
  const store = storeAt(folder);
  const manifest = await readManifest(store);
  return manifest && findModel({ folder: store.where, manifest }, loader);
}

const GIVE_MODEL = "Name it with --model: the folder where it is now, or its name after `pull`.";

/** @throws `MODEL_NOT_FOUND`, `INDEX_MISMATCH` */
async function findModel(index: Made, loader: ModelLoader): Promise<ClipModel> {
  const { name, weights, folder } = index.manifest.model;
  const made = `the index ${index.folder} was made with ${name}`;
  if (!folder) {
    return loadAsMade(index, loader, name).catch((cause) => {
      if (!(cause instanceof ClipInterpretError) || cause.code !== "MODEL_NOT_FOUND") throw cause;
      const hint = `${cause.hint} ${GIVE_MODEL}`;
      throw new ClipInterpretError("MODEL_NOT_FOUND", `${made}, which is not here: ${cause.message}`, {
        hint,
        cause,
      });
    });
  }
  const near = folder.relative === null ? [] : [resolve(index.folder, folder.relative)];
  const places = [...new Set([...near, folder.absolute])];
  const other: string[] = [];
  for (const place of places) {
    if (!(await isFolder(place))) continue;
    const model = await loadAsMade(index, loader, place);
    if ((await model.weightsHash()) === weights) return model;
    other.push(place);
  }
  if (other.length > 0) {
    const message = `${made}; the weights in ${other.join(" and in ")} are others now`;
    throw new ClipInterpretError("INDEX_MISMATCH", message, { hint: GIVE_MODEL });
  }
  const message = `${made} from ${folder.absolute}, which is not there`;
  throw new ClipInterpretError("MODEL_NOT_FOUND", message, { hint: GIVE_MODEL });
}

/** A model with the precision, device and activation that an index was made with. */
async function loadAsMade(
  { manifest: { model: made } }: Made,
  loader: ModelLoader,
  nameOrFolder: string,
): Promise<ClipModel> {
  const how: ModelOptions = { precision: made.precision, device: made.device };
  const model = await loader.load(nameOrFolder, how);
  if (made.activation === undefined || model.config.vision.activation === made.activation) return model;
  // Any other activation was never a matter of choice.
  const { activation } = made;
  return activation === "gelu" || activation === "quick_gelu"
    ? loader.load(nameOrFolder, { ...how, activation })
    : model;
}
