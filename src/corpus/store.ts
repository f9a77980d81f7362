import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { WritableStore } from "./plain-store.ts";

/** A file in a store, by its path from a folder. */
export interface StoredFile {
  readonly name: string;
  readonly size: number;
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
