import { ClipInterpretError } from "../support/errors.ts";
import { formatManifest, MANIFEST_FILE, type Manifest, parseManifest } from "./manifest.ts";
import { openedRoot, storedRoot } from "./root.ts";
import type { Store } from "./store.ts";

/** Reads the manifest; undefined where there is none. @throws `INDEX_INVALID`, `INPUT_UNREADABLE` */
export async function readManifest(store: Store): Promise<Manifest | undefined> {
  if ((await store.size(MANIFEST_FILE)) === undefined) return undefined;
  const manifest = parseManifest((await store.read(MANIFEST_FILE)).toString("utf8"), store.where);
  return { ...manifest, root: await openedRoot(store.where, manifest.root) };
}

/** Sees that an index that is written to is still there. @throws `INDEX_GONE` */
export async function requireIndex(store: Store): Promise<void> {
  const size = await store.size(MANIFEST_FILE).catch(() => undefined);
  if (size === undefined) {
    throw new ClipInterpretError("INDEX_GONE", `the index ${store.where} cannot be reached any more`);
  }
}

/** Writes the manifest in one step. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
export async function writeManifest(store: Store, manifest: Manifest): Promise<void> {
  const root = await storedRoot(store.where, manifest.root);
  await store.put(MANIFEST_FILE, [formatManifest({ ...manifest, root })]);
}
