import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseHfConfig } from "../checkpoint/hf-config.ts";
import { parseOpenClipConfig } from "../checkpoint/open-clip-config.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson, sizeOf } from "../support/files.ts";
import type { WorkOptions } from "../support/progress.ts";
import { isWhole, repositoryFolder, showBlob, writeMain } from "./cache.ts";
import type { HubClient } from "./client.ts";
import { checkRoom, downloadBlob, partialPath } from "./download.ts";
import type { HubModel } from "./known-models.ts";
import { type HubFile, type Listing, listRepository } from "./listing.ts";
import { chooseFiles, isIndex, type ModelFiles, readParts, TOKENIZER } from "./model-files.ts";

/** Who has the tokenizer that repositories without one share. */
const TOKENIZER_HOME = "openai/clip-vit-base-patch32";

/**
 * Makes the snapshot of a commit whole: fetches what is missing of the files that a model needs, and then makes
 * `main` mean it. What is large comes last, after the config was found to be of a kind that can be decomposed.
 * @returns the bytes that were received
 */
export async function completeSnapshot(
  client: HubClient,
  model: HubModel,
  listing: Listing,
  work: WorkOptions,
): Promise<number> {
  const repository = repositoryFolder(client.settings.cache, listing.hubId);
  const snapshot = join(repository, "snapshots", listing.commit);
  const chosen = chooseFiles(new Set(listing.files.keys()));
  if (!chosen) {
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${listing.hubId} holds no weights that can be read here`,
      {
        hint: "It needs open_clip_config.json with open_clip_model.safetensors or .bin, or those of a transformers CLIPModel.",
      },
    );
  }
  const needed = (name: string): HubFile => {
    const file = listing.files.get(name);
    if (!file)
      throw new ClipInterpretError("HUB_INVALID", `${listing.hubId} has no ${name}, which its index names`);
    return file;
  };
  const fetchFiles = (files: readonly HubFile[]) => fetchMissing(client, repository, snapshot, files, work);
  const small = [chosen.config, chosen.preprocessor, isIndex(chosen.weights) ? chosen.weights : undefined];
  let received = await fetchFiles(small.filter((name) => name !== undefined).map(needed));
  await checkSupported(snapshot, chosen, model.name);
  const parts = isIndex(chosen.weights) ? await readParts(join(snapshot, chosen.weights)) : [chosen.weights];
  const tokenizer = await findTokenizer(client, listing, snapshot, chosen, work);
  received += await fetchFiles([...tokenizer, ...parts.map(needed)]);
  await writeMain(repository, listing.commit);
  return received;
}

/** Refuses, before gigabytes are fetched, what could not be decomposed afterwards. */
async function checkSupported(snapshot: string, chosen: ModelFiles, name: string): Promise<void> {
  const config = await readJson(join(snapshot, chosen.config));
  if (chosen.config === "open_clip_config.json") {
    parseOpenClipConfig(config, name);
  } else {
    const { preprocessor } = chosen;
    parseHfConfig(config, preprocessor && (await readJson(join(snapshot, preprocessor))), name);
  }
}

const tokenizerName = z.object({
  model_cfg: z.object({ text_cfg: z.object({ hf_tokenizer_name: z.string() }) }),
});

/** The repository's own tokenizer, else the one that all CLIPs share; none if its config names another one. */
async function findTokenizer(
  client: HubClient,
  { hubId, files }: Listing,
  snapshot: string,
  chosen: ModelFiles,
  work: WorkOptions,
): Promise<HubFile[]> {
  const own = files.get(TOKENIZER);
  if (own) return [own];
  const named = tokenizerName.safeParse(await readJson(join(snapshot, chosen.config)));
  const other = named.data?.model_cfg.text_cfg.hf_tokenizer_name;
  const shareable = other === undefined || other.startsWith("openai/clip-");
  const shared = shareable ? await sharedTokenizer(client, work) : undefined;
  if (shared) return [shared];
  const message = `${hubId} has no ${TOKENIZER}${other ? ` and reads texts as ${other}` : ""}: images only`;
  work.report?.({ type: "warning", code: "TOKENIZER_INVALID", message });
  return [];
}

/** Undefined on a hub that has no such repository: a mirror of some models may not. */
async function sharedTokenizer(client: HubClient, work: WorkOptions): Promise<HubFile | undefined> {
  try {
    return (await listRepository(client, TOKENIZER_HOME, work)).files.get(TOKENIZER);
  } catch (error) {
    const missing =
      error instanceof ClipInterpretError && ["HUB_NOT_FOUND", "HUB_UNAUTHORIZED"].includes(error.code);
    if (missing) return undefined;
    throw error;
  }
}

async function fetchMissing(
  client: HubClient,
  repository: string,
  snapshot: string,
  files: readonly HubFile[],
  work: WorkOptions,
): Promise<number> {
  const blobs = join(repository, "blobs");
  await mkdir(blobs, { recursive: true });
  const missing: HubFile[] = [];
  for (const file of files) {
    if (!(await isWhole(join(snapshot, file.name), file.bytes))) missing.push(file);
  }
  let room = 0;
  for (const { bytes, blobId } of missing) {
    const blob = join(blobs, blobId);
    if (!(await isWhole(blob, bytes))) room += Math.max(0, bytes - ((await sizeOf(partialPath(blob))) ?? 0));
  }
  await checkRoom(blobs, missing.map(({ name }) => name).join(" and "), room);
  let received = 0;
  for (const file of missing) {
    const blob = join(blobs, file.blobId);
    if (!(await isWhole(blob, file.bytes))) received += await downloadBlob(client, file, blob, work);
    await showBlob({ blob, file: join(snapshot, file.name) }, file.blobId);
  }
  return received;
}
