import { parseJson } from "./json.ts";

/**
 * Where the bytes of a model's files come from: a disk ({@link file://./disk-bytes.ts}), or a web server that answers for
 * parts of files ({@link file://./web-bytes.ts}). Paths are those of the place: a path, or an address.
 */
export interface Bytes {
  /** The names in a folder. @throws `MODEL_NOT_FOUND` */
  names(folder: string): Promise<ReadonlySet<string>>;
  /** A whole file. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
  read(path: string): Promise<Uint8Array>;
  /**
   * Opens a file for as long as `use` takes, to read parts of it.
   * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, and whatever `use` throws
   */
  open<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T>;
  /** SHA-256 (hex) over files, one behind the other. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
  hash(paths: readonly string[]): Promise<string>;
  /** What is another where a file was replaced or written to. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
  identify(path: string): Promise<string>;
}

/** A file of which parts are read. */
export interface OpenFile {
  /** Where it is, with links resolved. */
  readonly path: string;
  readonly size: number;
  /** Exactly these bytes, which lie inside the file. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A parsed JSON file. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID` */
export const jsonFrom = async (bytes: Bytes, path: string): Promise<unknown> =>
  parseJson(await bytes.read(path), path);
