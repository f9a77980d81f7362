import { z } from "zod";
import { ClipInterpretError, ERRORS, type ErrorCode } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { reasonOf } from "../support/reason.ts";
import type { SourceImage } from "./source-image.ts";

const factors = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));

const rowSchema = z.strictObject({
  id: z.string(),
  path: z.string(),
  width: z.int().min(1),
  height: z.int().min(1),
  bytes: z.int().min(0),
  sha256: z.string(),
  label: z.string().nullable(),
  factors,
});

/** A line of `images.jsonl`: an indexed image. `id` follows from its path. */
export type ImageRow = z.infer<typeof rowSchema>;

const rejectedSchema = z.strictObject({
  path: z.string(),
  bytes: z.int().min(0),
  // Absent in indexes that were made before it was kept.
  mtime: z.number().optional(),
  code: z.custom<ErrorCode>((code) => typeof code === "string" && Object.hasOwn(ERRORS, code)),
  message: z.string(),
});

/** A line of `rejected.jsonl`: a file that could not be indexed, and why. */
export type RejectedRow = z.infer<typeof rejectedSchema>;

/** Whether a file could not be reached or read, which is no verdict about what it holds. */
export const isTransient = ({ code }: Pick<RejectedRow, "code">): boolean =>
  ["INPUT_NOT_FOUND", "INPUT_UNREADABLE", "STORE_UNREACHABLE", "STORE_DENIED"].includes(code);

/** The row of a file that was not taken in. */
export function rejectedRow(
  { path, bytes, mtime }: SourceImage,
  { code, message }: Pick<RejectedRow, "code" | "message">,
): RejectedRow {
  return { path, bytes, ...(mtime !== undefined && { mtime }), code, message };
}

/** The id of an image: from its path alone, so that it stays when others come and go. */
export const imageId = (path: string): string => sha256Of(path).slice(0, 16);

/** The row of an image that was decoded. */
export function imageRow(
  { path, label, factors: known }: SourceImage,
  { width, height, bytes, sha256 }: Pick<ImageRow, "width" | "height" | "bytes" | "sha256">,
): ImageRow {
  return { id: imageId(path), path, width, height, bytes, sha256, label, factors: { ...known } };
}

/** Rows as JSON lines. */
export const formatRows = (rows: readonly (ImageRow | RejectedRow)[]): Uint8Array =>
  new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

/** Reads `images.jsonl`. @throws `INDEX_CORRUPT` */
export const parseImageRows = (text: string, where: string): ImageRow[] => parseLines(rowSchema, text, where);

/** Reads one line of `images.jsonl`. @param where messages say it is @throws `INDEX_CORRUPT` */
export const parseImageRow = (line: string, where: string): ImageRow => parseLine(rowSchema, line, where);

/** Reads `rejected.jsonl`. @throws `INDEX_CORRUPT` */
export const parseRejectedRows = (text: string, where: string): RejectedRow[] =>
  parseLines(rejectedSchema, text, where);

function parseLines<T>(schema: z.ZodType<T>, text: string, where: string): T[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, i) => parseLine(schema, line, `${where}, line ${i + 1}`));
}

function parseLine<T>(schema: z.ZodType<T>, line: string, where: string): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch (cause) {
    throw new ClipInterpretError("INDEX_CORRUPT", `${where}: ${reasonOf(cause)}`, { cause });
  }
}
