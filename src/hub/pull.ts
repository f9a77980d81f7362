import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sizeOf } from "../support/files.ts";
import type { WorkOptions } from "../support/progress.ts";
import { type CachedModel, findCached, lockPath } from "./cache.ts";
import { createClient, type HubClient } from "./client.ts";
import { writeError } from "./download.ts";
import { hubSettings } from "./environment.ts";
import { readsTexts } from "./find-tokenizer.ts";
import { findHubModel, type HubModel, refuseName, suggestModels } from "./known-models.ts";
import { listRepository } from "./listing.ts";
import { withLock } from "./lock.ts";
import { PATIENCE, type Patience } from "./retry.ts";
import { createShare } from "./share.ts";
import { completeSnapshot } from "./snapshot.ts";
import { noTokenizer } from "./tokenizer-needs.ts";

/** A model that is now in the cache. */
export interface PulledModel extends CachedModel {
  readonly name: string;
  /** What came over the network; 0 if all was there. */
  readonly receivedBytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** Fetches models from the hub into its cache; concurrent callers share one download. */
export interface Puller {
  /**
   * @param model a known name (`ViT-B-32/openai`) or a hub id
   * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `HUB_…`, `DOWNLOAD_CORRUPT`, `DISK_FULL`, `CANCELLED`
   */
  pull(model: string, work?: WorkOptions): Promise<PulledModel>;
}

/** Makes a puller. The environment is read at every pull. */
export function createPuller(environment: Environment = process.env, patience: Patience = PATIENCE): Puller {
  const share = createShare<PulledModel>();
  return {
    async pull(text, work = {}) {
      refuseName(text);
      const model = findHubModel(text);
      if (!model) {
        throw new ClipInterpretError("MODEL_NOT_FOUND", `"${text}" is neither a known model nor a hub id`, {
          hint: hintFor(text),
        });
      }
      const client = createClient(await hubSettings(environment), patience);
      const key = `${client.settings.cache} ${model.hubId}`;
      return share(key, (options) => fetchModel(client, model, options), work);
    },
  };
}

const puller = createPuller();

/**
 * Fetches a model from the Hugging Face Hub into its cache, or what of it is not there yet. `HF_HOME`, `HF_ENDPOINT`,
 * `HF_TOKEN` and `HF_HUB_OFFLINE` are heeded.
 *
 * @param model a known name (`ViT-B-32/openai`) or a hub id
 * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `HUB_…`, `DOWNLOAD_CORRUPT`, `DISK_FULL`, `CANCELLED`
 * @example
 * ```ts
 * import { openModel, pullModel } from "clip-interpret";
 *
 * const { name } = await pullModel("ViT-B-32/openai");
 * const model = await openModel(name);
 * console.log(model.name); // → ViT-B-32/openai
 * ```
 */
export const pullModel = (model: string, work?: WorkOptions): Promise<PulledModel> =>
  puller.pull(model, work);

/** What the model that is in the cache does without. */
const OF_THE_NETWORK = new Set<string>(["HUB_UNREACHABLE", "PROXY_FAILED", "CERTIFICATE_UNTRUSTED"]);

async function fetchModel(client: HubClient, model: HubModel, work: WorkOptions): Promise<PulledModel> {
  const { cache, offline: isOffline } = client.settings;
  const { hubId } = model;
  const before = await findCached(cache, hubId);
  let receivedBytes = 0;
  if (isOffline) {
    if (!before)
      throw new ClipInterpretError("HUB_OFFLINE", `${hubId} is not in ${cache}, and HF_HUB_OFFLINE is set`);
  } else {
    try {
      const listing = await listRepository(client, hubId, work);
      const complete = () => completeSnapshot(client, model, listing, work);
      receivedBytes = await withLock(lockPath(cache, hubId), complete, work);
    } catch (error) {
      // Who has the model can work with it, whatever the weather on the network.
      if (!(error instanceof ClipInterpretError)) throw isFileError(error) ? writeError(error, cache) : error;
      if (error.code === "HUB_NOT_FOUND" && suggestModels(hubId).length > 0)
        throw new ClipInterpretError(error.code, error.message, { hint: hintFor(hubId), cause: error });
      if (!before || !OF_THE_NETWORK.has(error.code)) throw error;
      const message = `${error.message}; the model that is in the cache is used`;
      work.report?.({ type: "warning", code: error.code, message });
    }
  }
  const found = await findCached(cache, hubId);
  // Only if something else deletes it at the same time.
  if (!found)
    throw new ClipInterpretError("MODEL_NOT_FOUND", `${hubId} vanished from ${cache} while it was fetched`);
  if (receivedBytes === 0 && !(await readsTexts(found.folder, hubId))) {
    const { message } = noTokenizer(found.folder);
    work.report?.({ type: "warning", code: "TOKENIZER_INVALID", message });
  }
  const names = await readdir(found.folder);
  const files = await Promise.all(
    names.sort().map(async (name) => ({ name, bytes: (await sizeOf(join(found.folder, name))) ?? 0 })),
  );
  return { ...found, name: model.name, receivedBytes, files };
}

/** Which known models an unknown name may mean, and what to type. */
export function hintFor(text: string): string {
  const names = suggestModels(text).map(({ name }) => name);
  const list = "`clip-interpret models` lists the known ones; a hub id looks like organisation/name.";
  return names.length === 0 ? list : `Did you mean ${names.join(" or ")}? ${list}`;
}

/** True for what the file system refused: a cache that may not be written to, or is no folder. */
const isFileError = (error: unknown) => error instanceof Error && "syscall" in error;
