import type { Bytes, OpenFile } from "./bytes.ts";
import { ClipInterpretError } from "./errors.ts";
import { createSha256 } from "./hash.ts";
import { nameIn } from "./paths.ts";
import { sharedCache } from "./shared.ts";
import { FIRST_BYTES, GAP_BYTES, joined, missingOf, USUAL_NAMES, unreadable, webParts } from "./web-parts.ts";

/** How files of a web server are read. */
export interface WebBytesOptions {
  /** The names in a model's folder, since no server lists them. Default: those of `USUAL_NAMES` that answer. */
  readonly names?: readonly string[];
  /** SHA-256 (hex) of files that are known, by name: what is named here is never fetched whole for its hash. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** Hears of each answer's bytes. */
  readonly onFetched?: (fetched: { readonly address: string; readonly bytes: number }) => void;
  /** Default: the environment's own. */
  readonly fetch?: typeof fetch;
}

/** Folders whose names are kept. */
const MOST_FOLDERS = 16;

/** Files of a web server. */
export interface WebBytes extends Bytes {
  /**
   * A file in which at least these parts are as the server has them, from begin to end each; the rest may be zeros.
   * Parts next to each other come in one request, and what is there is not fetched again.
   */
  fill(address: string, parts: readonly (readonly [begin: number, end: number])[]): Promise<Uint8Array>;
}

/** A file of which parts are here. */
interface Known {
  readonly data: Uint8Array<ArrayBuffer>;
  /** By begin; none touches another. */
  here: (readonly [begin: number, end: number])[];
  /** What the server tells a file's version by. */
  readonly version: string;
}

/**
 * Reads files of a web server by HTTP ranges. One that knows no ranges sends whole files, which are kept.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `CORS_REFUSED`, `SERVER_UNREACHABLE`; `CHECKPOINT_CHANGED` for a file that is replaced while parts of it come
 * @example
 * ```ts
 * import { webBytes } from "clip-interpret/browser";
 *
 * let fetched = 0;
 * const files = webBytes({ onFetched: ({ bytes }) => (fetched += bytes) });
 * const file = "https://example.org/models/emoji-4x128-p8/open_clip_model.safetensors";
 * const size = await files.open(file, async (opened) => opened.size);
 * console.log(`${fetched} of ${size} bytes`); // → 65536 of 3415682 bytes
 * ```
 */
export function webBytes({ names, hashes = {}, onFetched, fetch }: WebBytesOptions = {}): WebBytes {
  const parts = webParts({ onFetched, fetch });
  const files = new Map<string, Promise<Known>>();
  const known = (address: string): Promise<Known> => {
    const before = files.get(address);
    if (before) return before;
    const opened = parts.part(address, 0, FIRST_BYTES).then(({ body, size, version }): Known => {
      // Across origins a page may not see how large a file is, whose part came.
      if (size === undefined)
        throw unreadable(address, "the server does not let the page see how large it is (Content-Range)");
      if (body.length === size) return { data: body, here: [[0, size]], version };
      const data = new Uint8Array(size);
      data.set(body);
      return { data, here: [[0, body.length]], version };
    });
    files.set(address, opened);
    opened.catch(() => files.delete(address));
    return opened;
  };
  const fill: WebBytes["fill"] = async (address, wished) => {
    const file = await known(address);
    const wanted = missingOf(joined(wished, GAP_BYTES), file.here);
    await Promise.all(
      wanted.map(async ([begin, end]) => {
        const { at, body, size, version } = await parts.part(address, begin, end);
        if (version !== file.version || size !== file.data.length)
          throw new ClipInterpretError("CHECKPOINT_CHANGED", `${address} was replaced while it was read`);
        if (at > begin || at + body.length < end) throw unreadable(address, "the server sent another part");
        file.data.set(body, at);
        file.here = joined([...file.here, [at, at + body.length]], 0);
      }),
    );
    return file.data;
  };
  const listings = sharedCache<ReadonlySet<string>>(MOST_FOLDERS);
  const list = async (folder: string): Promise<ReadonlySet<string>> => {
    if (names) return new Set(names);
    const there = await Promise.all(USUAL_NAMES.map((name) => parts.isThere(`${folder}/${name}`)));
    const found = USUAL_NAMES.filter((_, i) => there[i]);
    if (found.length > 0) return new Set(found);
    throw new ClipInterpretError("MODEL_NOT_FOUND", `no model's files at ${folder}`);
  };
  return {
    fill,
    names: (folder) => listings.get(folder, () => list(folder)),
    read: async (address) => (await parts.whole(address)).body,
    async open(address, use) {
      const { data } = await known(address);
      const read: OpenFile["read"] = async (offset, length) => {
        await fill(address, [[offset, offset + length]]);
        return data.slice(offset, offset + length);
      };
      return use({ path: address, size: data.length, read });
    },
    async hash(addresses) {
      const [single] = addresses;
      const told = single !== undefined && addresses.length === 1 ? hashes[nameIn(single)] : undefined;
      if (told !== undefined) return told;
      const hash = createSha256();
      for (const address of addresses) {
        const { data } = await known(address);
        hash.update(await fill(address, [[0, data.length]]));
      }
      return hash.digest();
    },
    identify: async (address) => (await known(address)).version,
  };
}
