import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import { reasonOf } from "../support/reason.ts";
import type { HubClient } from "./client.ts";
import { isPlainName } from "./model-files.ts";

/** A file of a repository, as the hub describes it. */
export interface HubFile {
  readonly name: string;
  readonly bytes: number;
  /** What the blob is called in the cache, which is also its checksum: SHA-256 of large files, git's SHA-1 of others. */
  readonly blobId: string;
  readonly algorithm: "sha256" | "git-sha1";
  readonly url: string;
}

/** A repository at one commit, or one folder of it. */
export interface Listing {
  readonly hubId: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

const sha1 = z.string().regex(/^[0-9a-f]{40}$/);
const infoSchema = z.object({ sha: sha1 });
const bytes = z.int().nonnegative();
const entrySchema = z.object({
  type: z.literal("file"),
  path: z.string(),
  size: bytes,
  oid: sha1,
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: bytes }).optional(),
});

/** Asks the hub which files `main` has at its top, with sizes and checksums. */
export const listRepository = (client: HubClient, hubId: string, work: WorkOptions): Promise<Listing> =>
  sensible(client, hubId, async () => {
    // Not the library's `modelInfo`: it asks for more with `expand=`, which hubs behind a repository manager do not know.
    const address = `${client.settings.endpoint}/api/models/${hubId}/revision/main`;
    const info = await client.fetchFor(work)(address);
    const commit = infoSchema.parse(await info.json()).sha;
    return { hubId, commit, files: await listFolder(client, { hubId, commit }, "", work) };
  });

/** The same of a folder at its top, by the files' names in it. @param folder a plain name */
export const listInside = (
  client: HubClient,
  { hubId, commit }: Listing,
  folder: string,
  work: WorkOptions,
): Promise<Listing> =>
  sensible(client, hubId, async () => ({
    hubId,
    commit,
    files: await listFolder(client, { hubId, commit }, `${folder}/`, work),
  }));

async function listFolder(
  client: HubClient,
  { hubId, commit }: Pick<Listing, "hubId" | "commit">,
  prefix: string,
  work: WorkOptions,
): Promise<Map<string, HubFile>> {
  const { endpoint } = client.settings;
  const files = new Map<string, HubFile>();
  // The token is added by our own fetch: it sends it to no other host, and the library's refuses old ones.
  const options = { hubUrl: endpoint, fetch: client.fetchFor(work), repo: hubId, revision: commit };
  // Loaded here: it takes long, and few commands ask a hub.
  const { listFiles } = await import("@huggingface/hub");
  for await (const entry of listFiles({ ...options, ...(prefix && { path: prefix.slice(0, -1) }) })) {
    const name = entry.path.slice(prefix.length);
    // A name that cannot be a file's everywhere is none that is needed; an index that names one is refused.
    if (entry.type !== "file" || !entry.path.startsWith(prefix) || !isPlainName(name)) continue;
    files.set(
      name,
      toFile(name, entrySchema.parse(entry), `${endpoint}/${hubId}/resolve/${commit}/${prefix}`),
    );
  }
  return files;
}

/** What a hub answers, or `HUB_INVALID` with what is wrong with it. */
async function sensible<T>(client: HubClient, hubId: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    const message = `what ${client.settings.endpoint} says of ${hubId}: ${reasonOf(cause)}`;
    throw new ClipInterpretError("HUB_INVALID", message, { cause });
  }
}

function toFile(name: string, { size, oid, lfs }: z.infer<typeof entrySchema>, base: string): HubFile {
  return {
    name,
    bytes: lfs?.size ?? size,
    blobId: lfs?.oid ?? oid,
    algorithm: lfs ? "sha256" : "git-sha1",
    url: `${base}${encodeURIComponent(name)}`,
  };
}
