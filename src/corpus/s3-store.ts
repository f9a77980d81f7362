/**
 * A store of objects, behind the S3 protocol. Requests are signed with the credentials that other programs for S3 find too; failed
 * ones are tried again by the client, after pauses that grow and vary, and bodies that end too early by this file.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../hub/lock.ts";
import { atOnce } from "../support/at-once.ts";
import { ownCacheFolder } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { guardWrite } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { WorkOptions } from "../support/progress.ts";
import { ATTEMPTS, type Client, clientOf, faultOf, isLost, isMissing } from "./s3-client.ts";
import { indexChanged, type Store } from "./store.ts";

/** Whether a place is named by an address rather than a path. */
export const isStoreAddress = (place: string): boolean => /^s3:\/\//i.test(place);

/** A bucket, and what all names in the store begin with: empty, or ending in a slash. */
interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** @throws `USAGE` */
function parseAddress(address: string): Place {
  const [, bucket, path] = /^s3:\/\/([a-z0-9][a-z0-9._-]{1,62})(?:\/(.*))?$/is.exec(address) ?? [];
  const steps = (path ?? "").split("/").filter((step) => step !== "");
  if (bucket === undefined || steps.some((step) => step === "." || step === "..")) {
    throw new ClipInterpretError("USAGE", `${address} is no address of a store`, {
      hint: "An address is s3://BUCKET or s3://BUCKET/PREFIX.",
    });
  }
  return { bucket, prefix: steps.map((step) => `${step}/`).join("") };
}

/** Bytes of one request: a larger body is written and read in such pieces, some at once. */
const PIECE = 16 << 20;
const AT_ONCE = 4;
/** How often work begins again because another run was faster. */
const BEGINNINGS = 5;
/** What nobody has listed for so long belongs to no run that is still at work. */
const ABANDONED_MS = 24 * 3600e3;

/** What a view of exclusive work knows: versions of files by their keys, null where there was none. */
type Seen = Map<string, string | null>;

/** A store in a bucket. @throws `USAGE` for an address without one */
export const s3Store = (address: string): Store => storeOf(parseAddress(address));

function storeOf(place: Place, seen?: Seen): Store {
  const { bucket, prefix } = place;
  const where = `s3://${bucket}/${prefix}`.replace(/\/$/, "");
  const scratch = join(ownCacheFolder(process.env), "stores", sha256Of(where).slice(0, 16));
  const keyOf = (name: string) => prefix + name;
  const request = async <T>(
    name: string,
    work: (client: Client) => Promise<T>,
    { writing = false } = {},
  ): Promise<T> => {
    try {
      return await work(await clientOf(process.env));
    } catch (cause) {
      throw faultOf(cause, `${where}/${name}`, writing);
    }
  };

  const head = (name: string) =>
    request(name, async ({ sdk, client }) => {
      try {
        return await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: keyOf(name) }));
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw cause;
      }
    });

  /** One body, whole; one that ends too early is asked for again. */
  const get = async (name: string, range?: { readonly offset: number; readonly length: number }) =>
    request(name, async ({ sdk, client }) => {
      const attempts = Number(process.env.AWS_MAX_ATTEMPTS) || ATTEMPTS;
      for (let attempt = 1; ; attempt++) {
        const answer = await client.send(
          new sdk.GetObjectCommand({
            Bucket: bucket,
            Key: keyOf(name),
            ...(range && { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
          }),
        );
        const wanted = range?.length ?? answer.ContentLength;
        if (wanted !== answer.ContentLength) {
          const message = `cannot read ${where}/${name}: it ends too early`;
          throw new ClipInterpretError("INPUT_UNREADABLE", message);
        }
        try {
          const bytes = await bytesOf(answer.Body as AsyncIterable<Uint8Array>, wanted);
          return { bytes, version: answer.ETag };
        } catch (cause) {
          if (attempt >= attempts) throw cause;
          await sleep(Math.random() * Math.min(5_000, 100 * 2 ** attempt));
        }
      }
    });

  /** Writes one object, in pieces where it is large. @returns its version */
  const write = (name: string, chunks: readonly Uint8Array[], condition: Condition = {}) =>
    request(
      name,
      async ({ sdk, client }) => {
        const at = { Bucket: bucket, Key: keyOf(name) };
        const total = lengthOf(chunks);
        if (total <= PIECE) {
          const put = new sdk.PutObjectCommand({ ...at, Body: Buffer.concat(chunks), ...condition });
          return (await client.send(put)).ETag;
        }
        const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(at));
        try {
          const size = Math.max(PIECE, Math.ceil(total / 10_000));
          const starts = Array.from({ length: Math.ceil(total / size) }, (_, i) => i * size);
          const Parts = await atOnce(AT_ONCE, starts, async (start, i) => {
            const Body = pieceOf(chunks, start, Math.min(size, total - start));
            const part = new sdk.UploadPartCommand({ ...at, UploadId, PartNumber: i + 1, Body });
            return { ETag: (await client.send(part)).ETag, PartNumber: i + 1 };
          });
          const complete = { ...at, UploadId, MultipartUpload: { Parts }, ...condition };
          return (await client.send(new sdk.CompleteMultipartUploadCommand(complete))).ETag;
        } catch (cause) {
          await client.send(new sdk.AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {});
          throw cause;
        }
      },
      { writing: true },
    );

  /**
   * Writes under a condition. One that is not met may be the second attempt of a request whose answer was lost: what is
   * there then is what was to be written.
   * @returns its version; undefined where another process was faster
   */
  const writeIf = async (name: string, chunks: readonly Uint8Array[], condition: Condition) => {
    try {
      return (await write(name, chunks, condition)) ?? "";
    } catch (error) {
      if (!isLost((error as ClipInterpretError).cause)) throw error;
      const found = await get(name).catch(() => undefined);
      return found?.bytes.equals(Buffer.concat(chunks)) ? (found.version ?? "") : undefined;
    }
  };

  /** Objects below a folder, page by page; with `flat` its own entries alone. */
  async function* entries(folder: string, flat: boolean) {
    const start = folder === "." || folder === "" ? prefix : `${keyOf(folder)}/`;
    let ContinuationToken: string | undefined;
    do {
      const page = await request(folder, ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({
            ...{ Bucket: bucket, Prefix: start },
            ...(flat && { Delimiter: "/" }),
            ...(ContinuationToken && { ContinuationToken }),
          }),
        ),
      );
      for (const { Prefix } of page.CommonPrefixes ?? [])
        yield { name: Prefix!.slice(start.length, -1), size: 0 };
      for (const { Key, LastModified, Size, ETag } of page.Contents ?? []) {
        const name = Key!.slice(start.length);
        if (name !== "") yield { name, written: LastModified?.getTime(), size: Size, version: ETag };
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken);
  }

  const store: Store = {
    where,
    shared: true,
    journal: join(scratch, "journal"),
    async read(name) {
      const { bytes, version } = await get(name);
      if (seen) {
        const known = seen.get(keyOf(name));
        if (known !== undefined && known !== version) throw indexChanged(where);
        seen.set(keyOf(name), version ?? "");
      }
      return bytes;
    },
    async readRange(name, offset, length) {
      if (length <= PIECE)
        return length === 0 ? Buffer.alloc(0) : (await get(name, { offset, length })).bytes;
      const bytes = Buffer.alloc(length);
      const starts = Array.from({ length: Math.ceil(length / PIECE) }, (_, i) => i * PIECE);
      await atOnce(AT_ONCE, starts, async (start) => {
        const share = Math.min(PIECE, length - start);
        bytes.set((await get(name, { offset: offset + start, length: share })).bytes, start);
      });
      return bytes;
    },
    async size(name) {
      const found = await head(name);
      if (!found) {
        if (seen && !seen.has(keyOf(name))) seen.set(keyOf(name), null);
        return undefined;
      }
      return found.ContentLength;
    },
    version: async (name) => (await head(name))?.ETag,
    async put(name, chunks) {
      const known = seen?.get(keyOf(name));
      if (known === undefined) return void (await write(name, chunks));
      const condition = known === null ? { IfNoneMatch: "*" } : { IfMatch: known };
      const version = await writeIf(name, chunks, condition);
      if (version === undefined) throw indexChanged(where);
      seen!.set(keyOf(name), version);
    },
    async claim(name, chunks) {
      const version = await writeIf(name, chunks, { IfNoneMatch: "*" });
      if (version === undefined) seen?.delete(keyOf(name));
      else seen?.set(keyOf(name), version);
      return version !== undefined;
    },
    async putFolder(name, files) {
      await atOnce(AT_ONCE, [...files], ([file, chunks]) => write(`${name}/${file}`, chunks));
    },
    async list(name) {
      const names: string[] = [];
      for await (const entry of entries(name, true)) names.push(entry.name);
      return names;
    },
    async *files(name) {
      for await (const entry of entries(name, false))
        if (!entry.name.endsWith("/")) yield { name: entry.name, size: entry.size ?? 0 };
    },
    async abandoned(name) {
      const newest = new Map<string, number>();
      for await (const { name: key, written = Number.POSITIVE_INFINITY } of entries(name, false)) {
        const [first] = key.split("/", 1);
        newest.set(first, Math.max(newest.get(first) ?? 0, written));
      }
      // The client learns from answers by how much this machine's clock is wrong.
      const { client } = await clientOf(process.env);
      const before = Date.now() + client.config.systemClockOffset - ABANDONED_MS;
      return [...newest].flatMap(([first, written]) => (written < before ? [first] : []));
    },
    async remove(name) {
      const removeAll = (keys: readonly string[]) =>
        request(
          name,
          async ({ sdk, client }) => {
            const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
            const { Errors } = await client.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete }));
            const [first] = Errors ?? [];
            if (first) throw new Error(`${first.Key}: ${first.Message ?? first.Code}`);
          },
          { writing: true },
        );
      let keys = [keyOf(name)];
      for await (const entry of entries(name, false)) {
        keys.push(`${keyOf(name)}/${entry.name}`);
        if (keys.length < 1000) continue;
        await removeAll(keys);
        keys = [];
      }
      if (keys.length > 0) await removeAll(keys);
      seen?.delete(keyOf(name));
    },
    within: (name) => storeOf({ bucket, prefix: `${keyOf(name)}/` }, seen),
    async exclusive<T>(work: (view: Store) => Promise<T>, options: WorkOptions) {
      const lock = join(scratch, ".lock");
      const [outcome] = await guardWrite(lock, () =>
        withLock(lock, () => Promise.allSettled([firstWins(place, work, options)]), options),
      );
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
  };
  return store;
}

/** Begins work again as long as another run wrote what it had seen. */
async function firstWins<T>(
  place: Place,
  work: (view: Store) => Promise<T>,
  { report, signal }: WorkOptions,
): Promise<T> {
  let lost = false;
  for (let beginning = 1; ; beginning++) {
    const seen: Seen = new Map();
    const view = storeOf(place, seen);
    try {
      return await work(view);
    } catch (error) {
      const coded = error instanceof ClipInterpretError ? error : undefined;
      if (!coded || coded.code === "CANCELLED" || signal?.aborted) throw error;
      // What a run finds half removed, half written, may be so because another one is at it.
      lost ||= coded.code === "INDEX_CHANGED" || (await isOutdated(place, seen));
      if (!lost || beginning >= BEGINNINGS) throw error;
      report?.({
        type: "note",
        message: `another run wrote to ${view.where}; beginning again with what is there`,
      });
      await sleep((0.5 + Math.random()) * 100 * 2 ** beginning);
    }
  }
}

/** Whether anything of what a view has read is another now. */
async function isOutdated(place: Place, seen: Seen): Promise<boolean> {
  const store = storeOf({ ...place, prefix: "" });
  for (const [key, version] of seen) {
    const now = await store.version(key).catch(() => version ?? undefined);
    if ((now ?? null) !== version) return true;
  }
  return false;
}

interface Condition {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

const lengthOf = (chunks: readonly Uint8Array[]) => chunks.reduce((sum, { length }) => sum + length, 0);

/** Bytes `start … start + length` of chunks that follow one another. */
function pieceOf(chunks: readonly Uint8Array[], start: number, length: number): Buffer {
  const piece = Buffer.allocUnsafe(length);
  let at = 0;
  for (const chunk of chunks) {
    const from = Math.max(0, start - at);
    const to = Math.min(chunk.length, start + length - at);
    if (from < to) piece.set(chunk.subarray(from, to), at + from - start);
    at += chunk.length;
  }
  return piece;
}

/** A body of a length that is known beforehand, in memory of its own. */
async function bytesOf(
  body: AsyncIterable<Uint8Array>,
  length: number | undefined,
): Promise<Buffer<ArrayBuffer>> {
  if (length === undefined) throw new Error("the store does not say how long the file is");
  const bytes = Buffer.alloc(length);
  let at = 0;
  for await (const chunk of body) {
    if (at + chunk.length > length) throw new Error("the store sent more bytes than were asked for");
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < length) throw new Error("the file ends too early");
  return bytes;
}
