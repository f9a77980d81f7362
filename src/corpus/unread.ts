/** `unread.jsonl`: files that the last run could not reach. It says nothing about them; the next run replaces it. */
import { textOf } from "../support/binary.ts";
import type { ReadableStore } from "./plain-store.ts";
import { formatRows, parseRejectedRows, type RejectedRow } from "./rows.ts";
import type { Store } from "./store.ts";

export const UNREAD_FILE = "unread.jsonl";

/** What the last run could not reach; nothing where the file is damaged, since the next run makes it anew. */
export async function readUnread(store: ReadableStore): Promise<RejectedRow[]> {
  try {
    if ((await store.size(UNREAD_FILE)) === undefined) return [];
    return parseRejectedRows(textOf(await store.read(UNREAD_FILE)), UNREAD_FILE);
  } catch {
    return [];
  }
}

/** Replaces it. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
export async function writeUnread(store: Store, rows: readonly RejectedRow[]): Promise<void> {
  if (rows.length > 0) await store.put(UNREAD_FILE, [formatRows(rows)]);
  else await store.remove(UNREAD_FILE);
}
