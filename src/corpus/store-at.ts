/** The one way from what a user names to a store. */
import { resolve } from "node:path";
import { folderStore } from "./folder-store.ts";
import { isStoreAddress, s3Store } from "./s3-store.ts";
import type { Store } from "./store.ts";

export { isStoreAddress };

/** The store that an address (`s3://bucket/prefix`) or a folder names. @throws `USAGE` for an address without a bucket */
export const storeAt = (place: string): Store =>
  isStoreAddress(place) ? s3Store(place) : folderStore(resolve(place));

/** A place as it is kept and compared: an absolute path, or an address as it is. */
export const placeOf = (place: string): string =>
  isStoreAddress(place) ? s3Store(place).where : resolve(place);
