/*
 * Where an index is, as a browser has it too: its types name nothing of Node, since those of `clip-interpret/browser` lead here.
 */

/** Where an index is read from: names and bytes, in a browser too. */
export interface ReadableStore {
  /** What messages call it, and what leads to it again: the folder, or the address of the store. */
  readonly where: string;
  /** @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
  read(name: string): Promise<Uint8Array>;
  /** Bytes `offset … offset + length`. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` when there are fewer */
  readRange(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Size in bytes; undefined when there is no such file. @throws `INPUT_UNREADABLE` when that cannot be said */
  size(name: string): Promise<number | undefined>;
}

/** Where an index is written by one at a time, in a browser too. What `put` writes appears whole or not at all. */
export interface WritableStore extends ReadableStore {
  /**
   * Whether processes on several machines may write at once, for want of a lock. What is not listed yet then bears a name
   * that follows from its content, so that two never write different bytes under one.
   */
  readonly shared: boolean;
  /** Writes or replaces a file. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`; in {@link Store.exclusive} work `INDEX_CHANGED` */
  put(name: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** Writes a folder of files; an unfinished one of that name is replaced. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  putFolder(name: string, files: ReadonlyMap<string, readonly Uint8Array[]>): Promise<void>;
  /** Names directly in a folder; none when it does not exist. @throws `INPUT_UNREADABLE` */
  list(name: string): Promise<string[]>;
  /** Removes a file or folder, if it is there. */
  remove(name: string): Promise<void>;
  /** The store that a folder in this one is. */
  within(name: string): WritableStore;
}
