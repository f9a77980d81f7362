import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { isDiskFull, makeFolder, putInPlace, sizeOf } from "../support/files.ts";
import type { WorkOptions } from "../support/progress.ts";
import { type HubClient, unreachable } from "./client.ts";
import type { HubFile } from "./listing.ts";
import { cancelled, PassingFailure, reasonOf, retrying, silenceGuard } from "./retry.ts";

/**
 * Where the bytes gather until they are whole and checked. Not the name that the Python tools use: they neither
 * know our lock nor always write from the front.
 */
export const partialPath = (blob: string): string => `${blob}.clip-interpret.incomplete`;

/**
 * Downloads a file to `blob`, going on from what an earlier attempt left, and checks it. @huggingface/hub's own
 * download neither resumes nor checks nor can be stopped.
 * @returns the bytes that were received
 * @throws `DOWNLOAD_CORRUPT`, `DISK_FULL`, `CANCELLED`, `OUTPUT_UNWRITABLE`, or the hub's errors
 */
export async function downloadBlob(
  client: HubClient,
  file: HubFile,
  blob: string,
  work: WorkOptions,
): Promise<number> {
  const partial = partialPath(blob);
  await makeFolder(dirname(blob));
  const task = `fetching ${file.name}`;
  work.report?.({ type: "start", task, unit: "byte", total: file.bytes });
  const received = { bytes: 0 };
  const end = await retrying(
    (progressed) =>
      fetchRest(client, file, partial, work.signal, (chunk, done) => {
        received.bytes += chunk;
        progressed();
        work.report?.({ type: "advance", task, done, total: file.bytes });
      }),
    client.patience,
    work,
  );
  work.report?.({ type: "end", task, done: end });
  await verify(file, partial, work.signal);
  await putInPlace(partial, blob);
  return received.bytes;
}

/** Fetches what is missing of a file; returns its length. */
async function fetchRest(
  client: HubClient,
  file: HubFile,
  partial: string,
  signal: AbortSignal | undefined,
  received: (chunk: number, done: number) => void,
): Promise<number> {
  const had = (await sizeOf(partial)) ?? 0;
  if (had === file.bytes && had > 0) return had;
  const from = had > file.bytes ? 0 : had;
  const guard = silenceGuard(client.patience.silenceMs, signal);
  try {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const response = await client.request(file.url, { headers, signal: guard.signal });
    const start = startOf(response, from);
    if (start === undefined) {
      await response.body?.cancel();
      await rm(partial, { force: true });
      throw unreachable(client.settings, `${file.name}: an answer with another range than asked for`);
    }
    const handle = await open(partial, start === 0 ? "w" : "a").catch((cause) => {
      throw writeError(cause, file.name, file.bytes - start);
    });
    let done = start;
    try {
      for await (const chunk of response.body ?? []) {
        guard.touch();
        if (done + chunk.length > file.bytes) throw tooLong(file);
        await handle.appendFile(chunk).catch((cause) => {
          throw writeError(cause, file.name, file.bytes - done);
        });
        done += chunk.length;
        received(chunk.length, done);
      }
      await handle.datasync().catch(() => {});
    } finally {
      await handle.close();
    }
    if (done < file.bytes)
      throw unreachable(client.settings, `${file.name} broke off at ${done} of ${file.bytes} bytes`);
    return done;
  } catch (cause) {
    if (cause instanceof ClipInterpretError && cause.code === "DOWNLOAD_CORRUPT")
      await rm(partial, { force: true });
    if (cause instanceof ClipInterpretError || cause instanceof PassingFailure) throw cause;
    throw unreachable(client.settings, `${file.name}: ${reasonOf(cause)}`, cause);
  } finally {
    guard.stop();
  }
}

/** Where an answer's bytes begin; undefined if that is not where they can be used. */
function startOf(response: Response, from: number): number | undefined {
  if (response.status === 200) return 0;
  const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  return response.status === 206 && Number(range?.[1]) === from ? from : undefined;
}

/** Compares the bytes on the disk with the hub's checksum; removes the file if they differ. */
async function verify(file: HubFile, path: string, signal: AbortSignal | undefined): Promise<void> {
  const sha256 = file.algorithm === "sha256";
  const hash = createHash(sha256 ? "sha256" : "sha1");
  if (!sha256) hash.update(`blob ${file.bytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    // The signal stops the work here too: a model of 4 GB takes seconds to read.
    if (signal?.aborted) throw cancelled(signal.reason);
    hash.update(chunk);
  }
  const found = hash.digest("hex");
  if (found === file.blobId) return;
  await rm(path, { force: true });
  throw corrupt(`${file.name} has the checksum ${found}, the hub says ${file.blobId}`);
}

const corrupt = (message: string) => new ClipInterpretError("DOWNLOAD_CORRUPT", message);
const tooLong = (file: HubFile) =>
  corrupt(`${file.name} is longer than the ${file.bytes} bytes that the hub says`);

/** The coded error of a failed write; `missing` bytes of `what` were still to come. */
export function writeError(cause: unknown, what: string, missing?: number): ClipInterpretError {
  if (!isDiskFull(cause)) {
    return new ClipInterpretError("OUTPUT_UNWRITABLE", `cannot write ${what}: ${messageOf(cause)}`, {
      hint: "Set HF_HUB_CACHE or HF_HOME to a folder that may be written to.",
      cause,
    });
  }
  const room =
    missing === undefined ? "there is no room left" : `needs ${missing} more bytes than there is room for`;
  return new ClipInterpretError("DISK_FULL", `${what}: ${room}`, { cause });
}

/** Refuses a download that the disk has no room for. File systems that do not say how much they have pass. */
export async function checkRoom(folder: string, what: string, bytes: number): Promise<void> {
  const disk = await statfs(folder).catch(() => undefined);
  if (!disk || disk.blocks === 0) return;
  const free = disk.bavail * disk.bsize;
  if (bytes > free) {
    throw new ClipInterpretError("DISK_FULL", `${what} needs ${bytes} bytes; ${folder} has room for ${free}`);
  }
}
