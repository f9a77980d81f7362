import { listFiles } from "@huggingface/hub";
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

/** A repository at one commit. */
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
export async function listRepository(client: HubClient, hubId: string, work: WorkOptions): Promise<Listing> {
  const { endpoint } = client.settings;
  // The token is added by our own fetch: it sends it to no other host, and the library's refuses old ones.
  const options = { hubUrl: endpoint, fetch: client.fetchFor(work) };
  try {
    // Not the library's `modelInfo`: it asks for more with `expand=`, which hubs behind a repository manager do not know.
    const info = await options.fetch(`${endpoint}/api/models/${hubId}/revision/main`);
    const commit = infoSchema.parse(await info.json()).sha;
    const files = new Map<string, HubFile>();
    for await (const entry of listFiles({ repo: hubId, revision: commit, ...options })) {
      // A name that cannot be a file's everywhere is none that is needed; an index that names one is refused.
      if (entry.type !== "file" || !isPlainName(entry.path)) continue;
      const file = toFile(entrySchema.parse(entry), `${endpoint}/${hubId}/resolve/${commit}`);
      files.set(file.name, file);
    }
    return { hubId, commit, files };
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    const message = `what ${endpoint} says of ${hubId}: ${reasonOf(cause)}`;
    throw new ClipInterpretError("HUB_INVALID", message, { cause });
  }
}

function toFile({ path, size, oid, lfs }: z.infer<typeof entrySchema>, base: string): HubFile {
  return {
    name: path,
    bytes: lfs?.size ?? size,
    blobId: lfs?.oid ?? oid,
    algorithm: lfs ? "sha256" : "git-sha1",
    url: `${base}/${encodeURIComponent(path)}`,
  };
}
