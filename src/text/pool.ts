/** Pools of texts: the two that come with the package, and a user's own file. */

import { createHash } from "node:crypto";
import { packaged } from "../support/disk-paths.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readInput } from "../support/files.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { parsePoolText } from "./pool-file.ts";

/** A description, and the one property of pictures that it speaks of; null where nobody has said. */
export interface PoolText {
  readonly text: string;
  readonly property: string | null;
}

/** Texts in a fixed order, no two alike. */
export interface TextPool {
  /** `photographs`, `emoji`, or the path it was read from. */
  readonly name: string;
  /** SHA-256 (hex) of the texts with their properties, in order; the name and the kind of file do not matter. */
  readonly hash: string;
  readonly texts: readonly PoolText[];
}

/** The pools that come with the package. `docs/pools.md` says what is in them. */
export const POOLS = ["photographs", "emoji"] as const;

/** The name of a pool that comes with the package. */
export type PoolName = (typeof POOLS)[number];

/**
 * The pool that fits a model: `emoji` for the models of the generated world, `photographs` for every other.
 * @param modelName as `locateModel` gives it; every model of the embedded family is named `emoji-…`
 * @example
 * ```ts
 * import { defaultPool } from "clip-interpret/labeling";
 *
 * console.log(defaultPool("emoji-4x128-p8"), defaultPool("ViT-B-32/openai")); // → emoji photographs
 * ```
 */
export const defaultPool = (modelName: string): PoolName =>
  /^emoji-/.test(modelName) ? "emoji" : "photographs";

const isPoolName = (name: string): name is PoolName => (POOLS as readonly string[]).includes(name);

/**
 * Loads a pool by its name or from a file: `.txt` (one text a line), `.jsonl` (`{"text", "property"}` a line) or `.csv`
 * (columns `text` and, if wanted, `property`). White space is collapsed and empty lines are passed over. A text that came before, in
 * whatever case, is left out and reported as a `TEXT_REPEATED` warning.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `POOL_INVALID` naming the line, `TEXTS_EMPTY`, `CANCELLED`
 * @example
 * ```ts
 * import { loadPool } from "clip-interpret/labeling";
 *
 * const { texts } = await loadPool("emoji");
 * console.log(texts.length, texts[0]);
 * // → 1236 { text: 'a cat', property: 'concept' }
 * ```
 */
export async function loadPool(nameOrFile: string, { report, signal }: WorkOptions = {}): Promise<TextPool> {
  checkCancelled(signal);
  const path = isPoolName(nameOrFile) ? poolPath(nameOrFile) : nameOrFile;
  const bytes = await readInput(path).catch((error: unknown) => {
    if (!(error instanceof ClipInterpretError) || error.code !== "INPUT_NOT_FOUND") throw error;
    const hint = `Check the path, or name a pool that comes with the package: ${POOLS.join(", ")}.`;
    throw new ClipInterpretError("INPUT_NOT_FOUND", error.message, { hint, cause: error });
  });
  const listed = parsePoolText(bytes, path);
  const texts: PoolText[] = [];
  const seen = new Map<string, string>();
  for (const { where, text, property } of listed) {
    const before = seen.get(text.toLowerCase());
    if (before === undefined) {
      seen.set(text.toLowerCase(), where);
      texts.push({ text, property });
    } else {
      const message = `${path}, ${where}: "${text}" is left out, it is in ${before} already`;
      report?.({ type: "warning", code: "TEXT_REPEATED", message });
    }
  }
  if (texts.length === 0) throw new ClipInterpretError("TEXTS_EMPTY", `${path} holds no text`);
  return { name: nameOrFile, hash: hashPool(texts), texts };
}

/** SHA-256 (hex) of texts with their properties, in order. */
export function hashPool(texts: readonly PoolText[]): string {
  const hash = createHash("sha256");
  for (const { text, property } of texts) hash.update(`${JSON.stringify([text, property])}\n`);
  return hash.digest("hex");
}

const poolPath = (name: PoolName): string => packaged(`assets/pools/${name}.jsonl`);
