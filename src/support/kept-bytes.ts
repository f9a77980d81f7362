import { atOnce } from "./at-once.ts";
import type { OpenFile } from "./bytes.ts";
import { ClipInterpretError, messageOf } from "./errors.ts";
import { createSha256, sha256Of } from "./hash.ts";
import { nameIn } from "./paths.ts";
import { type PrivateFolder, readPrivate, writePrivate } from "./private-files.ts";
import { sharedCache } from "./shared.ts";
import type { WebBytes } from "./web-bytes.ts";
import {
  FIRST_BYTES,
  GAP_BYTES,
  joined,
  missingOf,
  type Span,
  unreadable,
  type WebPart,
  type WebParts,
} from "./web-parts.ts";

/** What a place says of a folder. */
export interface WebListing {
  /** Its files by name. */
  readonly files: Readonly<Record<string, WebFile>>;
}
/** A file of a listing, with what is known of it before it is fetched. */
export interface WebFile {
  readonly bytes?: number;
  readonly sha256?: string;
  /** Where it is, where that is not under its name. */
  readonly address?: string;
}

/** `stopped`: it ended before all of it came, by a stop or a failure. */
export type FetchState = "running" | "stopped" | "done";

/** How files are kept. */
export interface KeptBytesOptions {
  /** Where they are kept, for one model. */
  readonly folder: PrivateFolder;
  /** Where what is not kept comes from. */
  readonly parts: WebParts;
  /** Which files a folder has. Asked once, and kept. @throws `MODEL_NOT_FOUND` */
  readonly list: (folder: string) => Promise<WebListing>;
  /** Hears how far it is with what is fetched of a file at a time. */
  readonly onProgress?: (file: string, done: number, total: number, state: FetchState) => void;
}

/** What is fetched, kept and read in one piece: small enough to be stopped and told of, large enough for few requests. */
const PIECE = 4 * 1024 * 1024;
/** Requests, or pieces that are read, at a time. */
const AT_ONCE = 3;
/** A server without ranges may send as much whole. */
const MOST_WHOLE = 1024 * 1024;
/** Folders whose listings are kept in memory. */
const MOST_FOLDERS = 16;
/** What is known of a file, beside its pieces. */
const ABOUT = "about.json";
/** A piece's name: from where to where, and the beginning of its SHA-256. */
const PIECE_NAME = /^(\d+)-(\d+)-([0-9a-f]{16})$/;

interface About {
  readonly size: number;
  readonly version: string;
  /** SHA-256 of the file, once all of it was read. */
  readonly sha256?: string;
}
interface Piece {
  readonly span: Span;
  readonly name: string;
}
interface Known {
  readonly folder: PrivateFolder;
  readonly about: About;
  readonly pieces: Piece[];
  /** The end of what is being fetched of it: no byte comes twice. */
  turn: Promise<unknown>;
}

/**
 * Files of a web server that stay in a browser's private files: what was fetched once is not asked for again, with a network or
 * without. Parts are kept in pieces, each whole or not there and known by its hash.
 *
 * @throws as `webBytes`; `DISK_FULL` where the browser gives no more room; `RANGES_REFUSED`; `CANCELLED`
 */
export function keptBytes({ folder, parts, list, onProgress }: KeptBytesOptions): WebBytes {
  const listings = sharedCache<WebListing>(MOST_FOLDERS);
  const listingOf = (of: string) =>
    listings.get(of, async () => {
      const name = `folder-${keyOf(of)}.json`;
      const before = await readPrivate(folder, name);
      if (before !== undefined) return JSON.parse(before) as WebListing;
      const listing = await list(of);
      await keep(folder, name, JSON.stringify(listing));
      return listing;
    });
  /** What is known of a file from its folder. @throws `INPUT_NOT_FOUND` for one that is not there */
  const listed = async (address: string): Promise<WebFile> => {
    const name = nameIn(address);
    const of = address.slice(0, -name.length - 1);
    // What lies elsewhere, as a tokenizer that many models share.
    const listing = await listingOf(of).catch((error: unknown) => {
      if (error instanceof ClipInterpretError && error.code === "MODEL_NOT_FOUND") return undefined;
      throw error;
    });
    if (!listing) return {};
    const file = listing.files[name];
    if (!file) throw new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${address}`);
    return file;
  };
  const files = new Map<string, Promise<Known>>();
  const known = (address: string): Promise<Known> => {
    const before = files.get(address);
    if (before) return before;
    const opened = openFile(address);
    files.set(address, opened);
    opened.catch(() => files.delete(address));
    return opened;
  };
  const openFile = async (address: string): Promise<Known> => {
    const { bytes, address: at = address } = await listed(address);
    const own = await folder.getDirectoryHandle(`file-${keyOf(address)}`, { create: true });
    const before = await readPrivate(own, ABOUT);
    const turn = Promise.resolve();
    if (before !== undefined)
      return { folder: own, about: JSON.parse(before), pieces: await piecesIn(own), turn };
    const first = await parts.part(at, 0, FIRST_BYTES, MOST_WHOLE);
    const size = first.size ?? bytes;
    if (size === undefined)
      throw unreadable(address, "the server does not let the page see how large it is (Content-Range)");
    if (bytes !== undefined && bytes !== size)
      throw unreadable(address, `it has ${size} bytes, and is listed with ${bytes}`);
    const about: About = { size, version: first.version };
    const file: Known = { folder: own, about, pieces: [], turn };
    await take(file, first, 0, Math.min(size, FIRST_BYTES), address);
    await keep(own, ABOUT, JSON.stringify(about));
    return file;
  };
  /** Keeps a part that came. */
  const take = async (file: Known, part: WebPart, begin: number, end: number, address: string) => {
    const { size = file.about.size, version, at, body } = part;
    if (version !== file.about.version || size !== file.about.size)
      throw new ClipInterpretError("CHECKPOINT_CHANGED", `${address} is another than when parts of it came`, {
        hint: "Delete what is kept of the model in this page, and open it again.",
      });
    if (at > begin || at + body.length < end) throw unreadable(address, "the server sent another part");
    const name = `${at}-${at + body.length}-${await digest(body)}`;
    await keep(file.folder, name, body);
    file.pieces.push({ span: [at, at + body.length], name });
  };
  const fetchMissing = (address: string, file: Known, wanted: readonly Span[]): Promise<void> => {
    const next = file.turn.then(() => fetchNow(address, file, wanted));
    file.turn = next.catch(() => {});
    return next;
  };
  const fetchNow = async (address: string, file: Known, wanted: readonly Span[]) => {
    const missing = missingOf(wanted, spansOf(file));
    const chunks = missing.flatMap(([begin, end]) =>
      Array.from({ length: Math.ceil((end - begin) / PIECE) }, (_, i): Span => {
        const from = begin + i * PIECE;
        return [from, Math.min(end, from + PIECE)];
      }),
    );
    const total = chunks.reduce((sum, [begin, end]) => sum + end - begin, 0);
    if (total === 0) return;
    const { address: at = address } = await listed(address);
    let done = 0;
    const tell = (state: FetchState) => onProgress?.(nameIn(address), done, total, state);
    tell("running");
    try {
      await atOnce(AT_ONCE, chunks, async ([begin, end]) => {
        await take(file, await parts.part(at, begin, end, MOST_WHOLE), begin, end, address);
        done += end - begin;
        if (done < total) tell("running");
      });
    } finally {
      tell(done < total ? "stopped" : "done");
    }
  };
  /** Writes what is kept of these parts to where `target` says that they go. */
  const copyTo = async (address: string, wanted: readonly Span[], target: Uint8Array, origin: number) => {
    const file = await known(address);
    await fetchMissing(address, file, wanted);
    // While one is hashed, which browsers do elsewhere, others are read.
    await atOnce(AT_ONCE, [...file.pieces], async ({ span, name }) => {
      const [begin, end] = span;
      const needed = wanted.filter(([from, to]) => from < end && to > begin);
      if (needed.length === 0) return;
      const body = await readPiece(file, name, address);
      for (const [from, to] of needed) {
        const [start, stop] = [Math.max(from, begin), Math.min(to, end)];
        target.set(body.subarray(start - begin, stop - begin), start - origin);
      }
    });
  };
  const readPart = async (address: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const data = new Uint8Array(end - begin);
    if (data.length === 0) return data;
    const file = await known(address);
    // A little part comes with what is behind it, which is asked for next.
    if (missingOf([[begin, end]], spansOf(file)).length > 0)
      await fetchMissing(address, file, [
        [begin, Math.min(file.about.size, Math.max(end, begin + FIRST_BYTES))],
      ]);
    await copyTo(address, [[begin, end]], data, begin);
    return data;
  };
  return {
    names: async (of) => new Set(Object.keys((await listingOf(of)).files)),
    async fill(address, wished) {
      const { about } = await known(address);
      const data = new Uint8Array(about.size);
      await copyTo(address, joined(wished, GAP_BYTES), data, 0);
      return data;
    },
    async read(address) {
      const { about } = await known(address);
      return readPart(address, 0, about.size);
    },
    async open(address, use) {
      const { about } = await known(address);
      const read: OpenFile["read"] = (offset, length) => readPart(address, offset, offset + length);
      return use({ path: address, size: about.size, read });
    },
    async hash(addresses) {
      const [single] = addresses;
      const told = single !== undefined && addresses.length === 1 ? await toldHash(single) : undefined;
      if (told !== undefined) return told;
      const hash = createSha256();
      for (const address of addresses) {
        const file = await known(address);
        const { size } = file.about;
        await fetchMissing(address, file, [[0, size]]);
        for (let at = 0; at < size; at += PIECE)
          hash.update(await readPart(address, at, Math.min(size, at + PIECE)));
      }
      const sha256 = hash.digest();
      if (single !== undefined && addresses.length === 1) {
        const { folder: own, about } = await known(single);
        await keep(own, ABOUT, JSON.stringify({ ...about, sha256 }));
        files.delete(single);
      }
      return sha256;
    },
    identify: async (address) => {
      const { version, size } = (await known(address)).about;
      return `${size} ${version}`;
    },
  };

  async function toldHash(address: string): Promise<string | undefined> {
    return (await listed(address)).sha256 ?? (await known(address)).about.sha256;
  }
}

const spansOf = ({ pieces }: Known) =>
  joined(
    pieces.map(({ span }) => span),
    0,
  );

const keyOf = (address: string): string => sha256Of(address).slice(0, 24);

async function piecesIn(folder: PrivateFolder): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const { name } of folder.values()) {
    const [, begin, end] = PIECE_NAME.exec(name) ?? [];
    if (end !== undefined) pieces.push({ span: [Number(begin), Number(end)], name });
  }
  return pieces;
}

/** A kept piece. One that is not what was kept is removed, and comes again with the next question. */
async function readPiece(file: Known, name: string, address: string): Promise<Uint8Array> {
  const handle = await file.folder.getFileHandle(name).catch(() => undefined);
  const body = handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
  if (body && name.endsWith(await digest(body))) return body;
  await file.folder.removeEntry(name).catch(() => {});
  const at = file.pieces.findIndex((piece) => piece.name === name);
  if (at >= 0) file.pieces.splice(at, 1);
  throw unreadable(
    address,
    "what this browser kept of it was damaged or deleted; ask again to fetch that part",
  );
}

/** The beginning of a SHA-256: the browser's own where there is one, which is many times as fast. */
async function digest(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = globalThis.crypto;
  if (!subtle) return sha256Of(body).slice(0, 16);
  const hash = new Uint8Array(await subtle.digest("SHA-256", body));
  return Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function keep(
  folder: PrivateFolder,
  name: string,
  data: Uint8Array<ArrayBuffer> | string,
): Promise<void> {
  try {
    await writePrivate(folder, name, data);
  } catch (cause) {
    const isFull = (cause as { name?: string } | undefined)?.name === "QuotaExceededError";
    throw isFull
      ? new ClipInterpretError("DISK_FULL", "this browser gives the page no room for more of the model", {
          cause,
          hint: "Delete a model that is kept here (the model's name, above), or free room on the disk; what has come is kept, and opening it again goes on from there.",
        })
      : new ClipInterpretError(
          "OUTPUT_UNWRITABLE",
          `this browser cannot keep the model: ${messageOf(cause)}`,
          {
            cause,
          },
        );
  }
}
