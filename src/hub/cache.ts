import { readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { unwrapFolder } from "../checkpoint/wrapped-folder.ts";
import { disk } from "../support/disk-bytes.ts";
import { isFile, makeFolder, sizeOf, writeWhole } from "../support/files.ts";
import { isHubId } from "./known-models.ts";
import { holdsModel } from "./model-files.ts";

/** A model found in the cache. */
export interface CachedModel {
  readonly hubId: string;
  readonly commit: string;
  /**
   * `…/snapshots/<commit>`, which looks like a checkout of the repository, with links into `…/blobs`; or the CLIP's folder in it
   * where sentence-transformers wrote it.
   */
  readonly folder: string;
}

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Where the hub's tools, in every language, keep a repository:
 * `refs/main` holds a commit, `snapshots/<commit>/<file>` links to `blobs/<etag>`.
 */
export const repositoryFolder = (cache: string, hubId: string): string =>
  join(cache, `models--${hubId.replace("/", "--")}`);

/** A snapshot, or the folder of a module that sentence-transformers put in it. */
const SNAPSHOT = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}(?:[/\\]\d+_\w+)?[/\\]?$/;

/** The hub id of a folder that is a snapshot in some cache, or a model's in one. */
export const hubIdOfFolder = (folder: string): string | undefined =>
  SNAPSHOT.exec(folder)?.[1]?.replace("--", "/");

/** The lock under which one process at a time fetches a repository; the tools keep theirs in the same folder. */
export const lockPath = (cache: string, hubId: string): string =>
  join(cache, ".locks", basename(repositoryFolder(cache, hubId)), "clip-interpret.lock");

/** The cache that a folder is a snapshot in. */
export function cacheOfFolder(folder: string): string | undefined {
  const at = resolve(folder);
  const found = SNAPSHOT.exec(at);
  return found ? at.slice(0, found.index) : undefined;
}

/** Finds a whole model in the cache, whichever tool fetched it: the one of `main`, else the newest. */
export async function findCached(cache: string, hubId: string): Promise<CachedModel | undefined> {
  for (const { commit, folder: snapshot } of await listSnapshots(cache, hubId)) {
    const folder = await unwrapFolder(disk, snapshot).catch(() => snapshot);
    if (await holdsModel(folder, await list(folder))) return { hubId, commit, folder };
  }
  return undefined;
}

/** Finds a file of a repository in the cache. */
export async function findCachedFile(
  cache: string,
  hubId: string,
  name: string,
): Promise<string | undefined> {
  if (!isHubId(hubId)) return undefined;
  for (const { folder } of await listSnapshots(cache, hubId)) {
    if (await isFile(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** A repository's snapshots: that of `main`, then from the newest to the oldest. */
async function listSnapshots(cache: string, hubId: string): Promise<{ commit: string; folder: string }[]> {
  const repository = repositoryFolder(cache, hubId);
  const main = await readFile(join(repository, "refs", "main"), "utf8").catch(() => "");
  const commits = (await list(join(repository, "snapshots"))).filter((name) => COMMIT.test(name));
  const aged = await Promise.all(
    commits.map(async (commit) => {
      const { mtimeMs } = await stat(join(repository, "snapshots", commit)).catch(() => ({ mtimeMs: 0 }));
      return { commit, age: commit === main.trim() ? 0 : Date.now() + 1 - mtimeMs };
    }),
  );
  const sorted = aged.sort((a, b) => a.age - b.age);
  return sorted.map(({ commit }) => ({ commit, folder: join(repository, "snapshots", commit) }));
}

/** Every whole model in the cache. */
export async function listCached(cache: string): Promise<CachedModel[]> {
  const ids = (await list(cache))
    .filter((name) => name.startsWith("models--"))
    .map((name) => name.slice("models--".length).replace("--", "/"))
    .filter(isHubId);
  const found = await Promise.all(ids.map((hubId) => findCached(cache, hubId)));
  return found.filter((model) => model !== undefined);
}

/** One file of a snapshot: where its bytes lie and where it is seen. */
export interface Place {
  readonly blob: string;
  readonly file: string;
}

/** Shows a blob under its name in the snapshot. */
export async function showBlob({ blob, file }: Place): Promise<void> {
  await makeFolder(dirname(file));
  await rm(file, { force: true });
  try {
    await symlink(relative(dirname(file), blob), file);
  } catch (cause) {
    // Windows lets only some users make links; there the Python tools put the file itself into the snapshot too.
    if ((cause as NodeJS.ErrnoException).code !== "EPERM") throw cause;
    await rename(blob, file);
  }
}

/** True if a file of a snapshot is there with all of its bytes. */
export const isWhole = async (file: string, bytes: number): Promise<boolean> =>
  (await isFile(file)) && (await sizeOf(file)) === bytes;

/** Makes `main` mean this commit; without a newline, as Python reads it. */
export async function writeMain(repository: string, commit: string): Promise<void> {
  await writeWhole(join(repository, "refs", "main"), commit);
}

const list = (folder: string) => readdir(folder).catch((): string[] => []);
