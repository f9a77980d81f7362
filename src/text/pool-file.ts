import { extname } from "node:path";
import { parse as parseCsv } from "csv-parse/sync";
import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";

/** A text of a file, and the line it is on. */
export interface ListedText {
  readonly where: string;
  readonly text: string;
  readonly property: string | null;
}

const rowSchema = z.strictObject({ text: z.string(), property: z.string().nullish() });
const csvSchema = z.array(
  z.object({
    record: z.object({ text: z.string(), property: z.string().optional() }),
    info: z.object({ lines: z.int() }),
  }),
);

/**
 * Reads the texts of a `.txt`, `.jsonl` or `.csv` file with white space collapsed; empty lines of the file are passed
 * over, an empty text in a field is an error.
 * @throws `POOL_INVALID`
 */
export function parsePoolText(bytes: Uint8Array, path: string): ListedText[] {
  const invalid = (why: string, cause?: unknown) =>
    new ClipInterpretError("POOL_INVALID", `${path}${why}`, { cause });
  const parse = PARSERS[extname(path).toLowerCase()];
  if (!parse) throw invalid(" is neither a .txt, nor a .jsonl, nor a .csv");
  let content: string;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid(" is not UTF-8 text", cause);
  }
  return parse(content, invalid).map(({ where, text, property }) => {
    const [clean, tag] = [collapse(text), property && collapse(property)];
    if (clean === "") throw invalid(`, ${where}: the text is empty`);
    return { where, text: clean, property: tag || null };
  });
}

const collapse = (text: string): string => text.replace(/\s+/g, " ").trim();

type Invalid = (why: string, cause?: unknown) => ClipInterpretError;
type Parse = (content: string, invalid: Invalid) => ListedText[];

const lines = (content: string) =>
  content
    .split(/\r\n|\n|\r/)
    .map((text, i) => ({ where: `line ${i + 1}`, text }))
    .filter(({ text }) => text.trim() !== "");

const PARSERS: Readonly<Record<string, Parse>> = {
  ".txt": (content) => lines(content).map((line) => ({ ...line, property: null })),
  ".jsonl": (content, invalid) =>
    lines(content).map(({ where, text: line }) => {
      try {
        const { text, property = null } = rowSchema.parse(JSON.parse(line));
        return { where, text, property };
      } catch (cause) {
        throw invalid(`, ${where}: ${reasonOf(cause)}`, cause);
      }
    }),
  ".csv": (content, invalid) => {
    try {
      const rows = csvSchema.parse(parseCsv(content, { columns: true, skip_empty_lines: true, info: true }));
      return rows.map(({ record: { text, property = null }, info }) => ({
        where: `line ${info.lines}`,
        text,
        property,
      }));
    } catch (cause) {
      throw invalid(`: ${reasonOf(cause)}`, cause);
    }
  },
};
