import { join } from "node:path";
import { readsTexts } from "../checkpoint/model-config.ts";
import { clipModule, MODULES } from "../checkpoint/wrapped-folder.ts";
import { disk } from "../support/disk-bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { makeFolder, sizeOf } from "../support/files.ts";
import type { WorkOptions } from "../support/progress.ts";
import { isWhole, repositoryFolder, showBlob, writeMain } from "./cache.ts";
import type { HubClient } from "./client.ts";
import { type DescribedModel, describeModel } from "./describe.ts";
import { checkRoom, downloadBlob, partialPath } from "./download.ts";
import type { HubModel } from "./known-models.ts";
import { type HubFile, type Listing, listInside, listRepository } from "./listing.ts";
import {
  chooseFiles,
  isIndex,
  readParts,
  SLOW_TOKENIZER,
  TOKENIZER_CONFIG,
  TOKENIZER_HOME,
} from "./model-files.ts";
import { sharesTokenizer, TOKENIZER } from "./tokenizer-needs.ts";

/**
 * Makes the snapshot of a commit whole: fetches what is missing of the files that a model needs, and then makes
 * `main` mean it. What is large comes last, after the config was found to be of a kind that can be decomposed.
 * @returns the bytes that were received
 */
export async function completeSnapshot(
  client: HubClient,
  model: HubModel,
  top: Listing,
  work: WorkOptions,
): Promise<number> {
  const repository = repositoryFolder(client.settings.cache, top.hubId);
  const root = join(repository, "snapshots", top.commit);
  const modules = top.files.get(MODULES);
  let received = modules ? await fetchMissing(client, repository, root, [modules], work) : 0;
  const inside = modules ? await clipModule(disk, join(root, MODULES)) : "";
  const listing = inside === "" ? top : await listInside(client, top, inside, work);
  const snapshot = join(root, inside);
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
  const small = [
    chosen.config,
    ...chosen.preprocessors,
    isIndex(chosen.weights) ? chosen.weights : undefined,
  ];
  received += await fetchFiles(small.filter((name) => name !== undefined).map(needed));
  // Refuses, before gigabytes are fetched, what could not be decomposed afterwards.
  const described = await describeModel(snapshot, chosen, model.name);
  const parts = isIndex(chosen.weights) ? await readParts(join(snapshot, chosen.weights)) : [chosen.weights];
  const tokenizer = await findTokenizer(client, listing, described, work);
  received += await fetchFiles([...tokenizer, ...parts.map(needed)]);
  await writeMain(repository, listing.commit);
  return received;
}

/**
 * The repository's own tokenizer, else the one that all CLIPs share, or that of the language model which its text tower is; none
 * if its config names another one.
 */
async function findTokenizer(
  client: HubClient,
  { hubId, files }: Listing,
  { config, tokenizerName }: DescribedModel,
  work: WorkOptions,
): Promise<HubFile[]> {
  if (!readsTexts(config.text)) {
    const message = `${hubId}: its text tower is not computed here (${config.text.unsupported}): images only`;
    work.report?.({ type: "warning", code: "TEXTS_UNSUPPORTED", message });
    return [];
  }
  const own = [[TOKENIZER], SLOW_TOKENIZER].find((names) => names.every((name) => files.has(name)));
  // It says which token texts are filled up with.
  const beside = files.has(TOKENIZER_CONFIG) ? [TOKENIZER_CONFIG] : [];
  if (own) return [...own, ...beside].map((name) => files.get(name)!);
  const shareable = tokenizerName === undefined || tokenizerName.startsWith("openai/clip-");
  // A language model's tokenizer.json says all; what fills up other towers' texts stands beside theirs.
  const home = shareable ? TOKENIZER_HOME : config.text.language && tokenizerName;
  const shared = home ? await tokenizerOf(client, home, work) : undefined;
  if (shared) return [shared];
  if (sharesTokenizer({ vocabSize: config.text.vocabSize, tokenizerName })) return [];
  const message = `${hubId} has no ${TOKENIZER}${tokenizerName ? ` and reads texts as ${tokenizerName}` : ""}: images only`;
  work.report?.({ type: "warning", code: "TOKENIZER_INVALID", message });
  return [];
}

/** Undefined on a hub that has no such repository: a mirror of some models may not. */
async function tokenizerOf(client: HubClient, home: string, work: WorkOptions): Promise<HubFile | undefined> {
  try {
    return (await listRepository(client, home, work)).files.get(TOKENIZER);
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
  await makeFolder(blobs);
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
    await showBlob({ blob, file: join(snapshot, file.name) });
  }
  return received;
}
