import { createHash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { mlpCount } from "../model/components.ts";
import { guardWrite, inputError, makeFolder } from "../support/files.ts";
import type { Layout } from "./manifest.ts";
import type { ImageRow, RejectedRow } from "./rows.ts";
import { bytesOf, type StoredBatch } from "./stored.ts";

/*
 * What has been computed of a shard that is not finished: one record a batch, each with its own checksum, so that a
 * process may die at any point. The first record names the work that the others are part of.
 */

/** A batch as the journal keeps it. */
export interface JournalBatch {
  /** Absent when every image of the batch was rejected. */
  readonly stored?: StoredBatch;
  readonly images: readonly ImageRow[];
  readonly rejected: readonly RejectedRow[];
}

/** A journal that batches are appended to. */
export interface Journal {
  /** What was there already, in order. */
  readonly batches: readonly JournalBatch[];
  append(batch: JournalBatch): Promise<void>;
  close(): Promise<void>;
  /** Closes it and removes its file. */
  discard(): Promise<void>;
}

const HEAD = 4 + 4 + 32;
/** What one read can give; a longer record is damaged lengths. */
const MOST = 2 ** 31 - 1;

/**
 * Opens the journal of a piece of work. What an earlier run left of the same work is read; anything else, and whatever
 * follows the first damaged record, is cut off.
 * @param work names what is computed: the images in order, and what makes their numbers
 */
export async function openJournal(path: string, work: string, layout: Layout): Promise<Journal> {
  const { batches, end } = await readJournal(path, work, layout);
  const handle = await guardWrite(path, async () => {
    await makeFolder(dirname(path));
    return open(path, end === 0 ? "w" : "r+");
  });
  let position = end;
  const write = (json: string, body: readonly Uint8Array[]) =>
    guardWrite(path, async () => {
      const record = formatRecord(json, body);
      await writeAll(handle, record, position);
      position += record.length;
    });
  try {
    await guardWrite(path, () => handle.truncate(end));
    if (end === 0) await write(work, []);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    batches,
    append({ stored, images, rejected }) {
      const body = stored ? parts(stored).map(bytesOf) : [];
      return write(JSON.stringify({ images, rejected }), body);
    },
    close: () => handle.close(),
    async discard() {
      await handle.close();
      await rm(path, { force: true });
    },
  };
}

/** A batch's arrays in the order of a record: float32 first, for the alignment. */
const parts = ({ scalars, embedding, z: values, mlps }: StoredBatch) => [scalars, embedding, values, mlps];

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Lengths of both parts, a checksum over them, JSON, numbers. */
function formatRecord(json: string, body: readonly Uint8Array[]): Buffer {
  const text = Buffer.from(json);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(text.length, 0);
  head.writeUInt32LE(
    body.reduce((sum, part) => sum + part.length, 0),
    4,
  );
  const content = Buffer.concat([text, ...body]);
  return Buffer.concat([head, digest(head, content), content]);
}

const digest = (head: Uint8Array, content: Uint8Array) =>
  createHash("sha256").update(head).update(content).digest();

interface JournalRecord {
  readonly json: string;
  readonly body: Buffer;
  readonly end: number;
}

/** The batches of this work that a file holds, and where the last one ends; none, and 0, in any other file. */
async function readJournal(
  path: string,
  work: string,
  layout: Layout,
): Promise<{ batches: JournalBatch[]; end: number }> {
  const batches: JournalBatch[] = [];
  let end = 0;
  const file = await open(path).catch((cause: unknown) => {
    const error = inputError(path, cause);
    if (error.code !== "INPUT_NOT_FOUND") throw error;
    return undefined;
  });
  try {
    for await (const record of file ? readRecords(file) : []) {
      if (end > 0) batches.push(parseBatch(record, layout));
      else if (record.json !== work) break;
      end = record.end;
    }
  } finally {
    await file?.close();
  }
  return { batches, end };
}

/** Whole records from the start; stops at the first that is not. */
async function* readRecords(file: FileHandle): AsyncGenerator<JournalRecord> {
  const { size } = await file.stat();
  for (let at = 0; at + HEAD <= size; ) {
    const head = await readAt(file, at, HEAD);
    const [textLength, bodyLength] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    const end = at + HEAD + textLength + bodyLength;
    if (end > size || end - at > MOST) return;
    const content = await readAt(file, at + HEAD, end - at - HEAD);
    if (!digest(head.subarray(0, 8), content).equals(head.subarray(8))) return;
    yield { json: content.toString("utf8", 0, textLength), body: content.subarray(textLength), end };
    at = end;
  }
}

/** Bytes of a file; zeros where it ends too early, which no checksum fits. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes;
}

const rowsSchema = z.object({
  images: z.array(z.custom<ImageRow>()),
  rejected: z.array(z.custom<RejectedRow>()),
});

/** A record's batch; its checksum has been checked, so it is what was written. */
function parseBatch({ json, body }: JournalRecord, layout: Layout): JournalBatch {
  const rows = rowsSchema.parse(JSON.parse(json));
  if (rows.images.length === 0) return rows;
  const { layers, heads, headDim, embedDim, dtype, mlps } = layout;
  const count = rows.images.length;
  // A copy of its own, for the alignment.
  const data = Uint8Array.from(body).buffer;
  let at = 0;
  const take = <T>(
    Kind: new (buffer: ArrayBuffer, offset: number, length: number) => T,
    length: number,
    width: number,
  ) => {
    const part = new Kind(data, at, length);
    at += length * width;
    return part;
  };
  const zLength = count * layers * heads * headDim;
  const stored: StoredBatch = {
    count,
    scalars: take(Float32Array, count * 3, 4),
    embedding: take(Float32Array, count * embedDim, 4),
    z: dtype === "float16" ? take(Uint16Array, zLength, 2) : take(Float32Array, zLength, 4),
    mlps: take(Uint16Array, mlps ? count * mlpCount(layout) * embedDim : 0, 2),
  };
  return { ...rows, stored };
}
