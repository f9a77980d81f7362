import type { AnyOrigin } from "./origin.ts";

/** What a cell may hold; null and undefined are written as nothing. */
export type CsvCell = string | number | boolean | null | undefined;

/**
 * A CSV file (RFC 4180; lines end with a line feed).
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay as they are.
 * @param origin where the numbers come from: a comment line each, `# model.name: ViT-B-32/openai`
 */
export function csvOf(
  origin: AnyOrigin | Readonly<Record<string, string>> | undefined,
  head: readonly string[],
  rows: readonly (readonly CsvCell[])[],
): string {
  const comments = leavesOf(origin ?? {}).map(([name, value]) => `# ${name}: ${harmless(value)}`);
  const lines = [head, ...rows].map((row) => row.map(cellOf).join(","));
  return `${[...comments, ...lines].join("\n")}\n`;
}

/** What makes a spreadsheet compute the text that follows it. */
const FORMULA = /^[=+\-@\t\r\n]/;

function cellOf(value: CsvCell): string {
  const text = String(value ?? "");
  const safe = typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
  // A cell that begins with # would be read as a comment.
  return /[",\n\r#]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A comment's text on one line; a spreadsheet that cuts it into cells finds no formula in them. */
const harmless = (value: string): string =>
  value.replace(/\s+/g, " ").replace(/([,;]\s*"?)(?=[=+\-@])/g, "$1'");

/** Every value within `value` with the path to it; what is null is left out. */
function leavesOf(value: object, path = ""): [name: string, value: string][] {
  return Object.entries(value).flatMap(([key, inner]): [string, string][] => {
    if (inner === null || inner === undefined) return [];
    return typeof inner === "object" ? leavesOf(inner, `${path}${key}.`) : [[path + key, String(inner)]];
  });
}
