import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";

/** A file in a store, by its path from a folder. */
export interface StoredFile {
  readonly name: string;
  readonly size: number;
}

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

/** Where an index lies, as commands need it: a store of objects can take the place of a folder. */
export interface Store extends WritableStore {
  /** A folder of this machine for what is computed and not stored yet. */
  readonly journal: string;
  read(name: string): Promise<Buffer<ArrayBuffer>>;
  readRange(name: string, offset: number, length: number): Promise<Buffer<ArrayBuffer>>;
  /** A word that changes whenever a file is written anew; undefined when there is none. @throws `INPUT_UNREADABLE` */
  version(name: string): Promise<string | undefined>;
  /**
   * Writes a file where there is none of that name: of several that try, one succeeds.
   * @returns whether the file now holds what this call wrote
   * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`
   */
  claim(name: string, chunks: readonly Uint8Array[]): Promise<boolean>;
  /** Of the names directly in a folder, those that no run that is still at work may be about to list. @throws `INPUT_UNREADABLE` */
  abandoned(name: string): Promise<string[]>;
  /** All files below a folder, in no order that may be relied on; none when it does not exist. @throws `INPUT_UNREADABLE` */
  files(name: string): AsyncIterable<StoredFile>;
  /** The store that a folder in this one is. */
  within(name: string): Store;
  /**
   * Runs work that changes what is stored, as if it were the only such work. It is handed a view in which a file is replaced
   * only while it is still what the view last saw of it: the first commit wins. In a folder a lock sees to it that there
   * is one; that a lock was taken over while its owner slept shows then. In a store without locks the work of
   * the other begins again with what is there now.
   * @throws what the work throws; `INDEX_CHANGED` where others were faster (in a store without locks, again and again)
   */
  exclusive<T>(work: (store: Store) => Promise<T>, options: WorkOptions): Promise<T>;
}

/** What the slower of two runs is told. */
export const indexChanged = (where: string): ClipInterpretError =>
  new ClipInterpretError("INDEX_CHANGED", `another run wrote to ${where} meanwhile`);

/** Whether a store said nothing of what was asked, or refused to: no file is damaged or gone for that. */
export const isOfStore = (error: unknown): error is ClipInterpretError =>
  error instanceof ClipInterpretError && error.code.startsWith("STORE_");
