import { Option } from "commander";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import { loadPool } from "../text/pool.ts";

/** As many texts as one picture can show. */
const MOST_TEXTS = 100;

/** `--texts <file>` of a command that also has `--text`. */
export const textsOption = (): Option =>
  new Option("--texts <file>", `more texts: a .txt (one a line), .jsonl or .csv; ${MOST_TEXTS} at most`);

/**
 * The texts of `--text`, then those of `--texts` that are not among them.
 * @throws `TEXTS_EMPTY` for a blank one, `USAGE` for too many, what {@link loadPool} throws
 */
export async function textsOf(
  { text, texts: file }: { readonly text: readonly string[]; readonly texts?: string },
  work: WorkOptions,
): Promise<string[]> {
  if (text.some((one) => one.trim() === "")) throw new ClipInterpretError("TEXTS_EMPTY", "a --text is blank");
  const listed = file === undefined ? [] : (await loadPool(file, work)).texts.map((one) => one.text);
  const texts = [...text, ...listed.filter((one) => !text.includes(one))];
  if (file === undefined || texts.length <= MOST_TEXTS) return texts;
  throw new ClipInterpretError("USAGE", `${file} makes ${texts.length} texts; ${MOST_TEXTS} at most`);
}
