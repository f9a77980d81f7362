import type { Bytes, OpenFile } from "./bytes.ts";
import { ClipInterpretError, messageOf } from "./errors.ts";
import { createSha256 } from "./hash.ts";
import { nameIn } from "./paths.ts";
import { sharedCache } from "./shared.ts";

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

/** Files that a checkpoint may consist of. */
const USUAL_NAMES = [
  ...["open_clip_config.json", "config.json", "processor_config.json", "preprocessor_config.json"],
  ...["open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"],
  ...["model.safetensors", "model.safetensors.index.json"],
  ...["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"],
];

/** What is asked for first of a file: a checkpoint's header, of most. */
const FIRST = 64 * 1024;
/** What lies between two parts and is fetched along, where another request would take longer. */
const GAP = 64 * 1024;

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
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`; `CHECKPOINT_CHANGED` for a file that is replaced while parts of it come
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
export function webBytes({
  names,
  hashes = {},
  onFetched,
  fetch: ask = globalThis.fetch.bind(globalThis),
}: WebBytesOptions = {}): WebBytes {
  const files = new Map<string, Promise<Known>>();
  const request = async (address: string, init: RequestInit): Promise<Response> => {
    // A connection that was kept for the next request may have been closed meanwhile: it is asked again on another.
    const response = await ask(address, init)
      .catch(() => ask(address, init))
      .catch((cause: unknown) => {
        throw unreadable(address, messageOf(cause), cause);
      });
    if (response.status === 404 || response.status === 410)
      throw new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${address}`);
    if (!response.ok) throw unreadable(address, `the server answers ${response.status}`);
    return response;
  };
  const bodyOf = async (address: string, response: Response): Promise<Uint8Array<ArrayBuffer>> => {
    let body: ArrayBuffer;
    try {
      body = await response.arrayBuffer();
    } catch (cause) {
      throw unreadable(address, messageOf(cause), cause);
    }
    onFetched?.({ address, bytes: body.byteLength });
    return new Uint8Array(body);
  };
  const part = async (address: string, begin: number, end: number) => {
    const response = await request(address, { headers: { range: `bytes=${begin}-${end - 1}` } });
    const body = await bodyOf(address, response);
    const version = response.headers.get("etag") ?? response.headers.get("last-modified") ?? "";
    if (response.status !== 206) return { at: 0, body, size: body.length, version };
    const [, first, size] =
      /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    // Across origins a page may not see the header: what was asked for is what came, but nothing says how much there is.
    if (size === undefined)
      throw unreadable(address, "the server does not let the page see how large it is (Content-Range)");
    return { at: Number(first), body, size: Number(size), version };
  };
  const known = (address: string): Promise<Known> => {
    const before = files.get(address);
    if (before) return before;
    const opened = part(address, 0, FIRST).then(({ body, size, version }): Known => {
      if (body.length === size) return { data: body, here: [[0, size]], version };
      const data = new Uint8Array(size);
      data.set(body);
      return { data, here: [[0, body.length]], version };
    });
    files.set(address, opened);
    opened.catch(() => files.delete(address));
    return opened;
  };
  const fill: WebBytes["fill"] = async (address, parts) => {
    const file = await known(address);
    const wanted = missingOf(joined(parts, GAP), file.here);
    await Promise.all(
      wanted.map(async ([begin, end]) => {
        const { at, body, size, version } = await part(address, begin, end);
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
    const isThere = async (name: string) =>
      (await ask(`${folder}/${name}`, { method: "HEAD" }).catch(() => undefined))?.ok ?? false;
    const there = await Promise.all(USUAL_NAMES.map(isThere));
    const found = USUAL_NAMES.filter((_, i) => there[i]);
    if (found.length > 0) return new Set(found);
    throw new ClipInterpretError("MODEL_NOT_FOUND", `no model's files at ${folder}`);
  };
  return {
    fill,
    names: (folder) => listings.get(folder, () => list(folder)),
    async read(address) {
      return bodyOf(address, await request(address, {}));
    },
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

const unreadable = (address: string, why: string, cause?: unknown) =>
  new ClipInterpretError("INPUT_UNREADABLE", `cannot read ${address}: ${why}`, { cause });

/** Parts in order, those joined that lie at most `gap` apart. */
function joined(parts: readonly (readonly [number, number])[], gap: number): [number, number][] {
  const all: [number, number][] = [];
  for (const [begin, end] of [...parts].sort(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last && begin <= last[1] + gap) last[1] = Math.max(last[1], end);
    else if (end > begin) all.push([begin, end]);
  }
  return all;
}

/** What of the wanted parts is not here. */
function missingOf(
  wanted: readonly (readonly [number, number])[],
  here: readonly (readonly [number, number])[],
): [number, number][] {
  return wanted.flatMap(([begin, end]) => {
    const left: [number, number][] = [];
    let at = begin;
    for (const [from, to] of here) {
      if (to <= at || from >= end) continue;
      if (from > at) left.push([at, from]);
      at = Math.max(at, to);
    }
    if (at < end) left.push([at, end]);
    return left;
  });
}
