/** Text embeddings kept on disk: a pool of thousands of texts is embedded once for a model. */
import { env } from "../onnx/runtime.ts";
import { fileIn } from "../support/disk-paths.ts";
import { ownCacheFolder } from "../support/environment.ts";
import { messageOf } from "../support/errors.ts";
import { readInput, writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { Report, WorkOptions } from "../support/progress.ts";
import type { ClipModel } from "./clip-model.ts";

/** How texts are embedded. */
export interface EmbedOptions extends WorkOptions {
  /** Where embeddings are kept. Default: `texts` in this program's cache (`CLIP_INTERPRET_CACHE`). */
  readonly cacheFolder?: string;
}

/** What of a model embeds texts. */
type TextModel = Pick<
  ClipModel,
  "name" | "config" | "precision" | "weightsHash" | "tokenizeTexts" | "encodeTokens"
>;

const FORMAT = 1;
const DIGEST_BYTES = 32;
/** Texts of one file: what is lost when the work is stopped, or when one text of a pool changes. */
const PART = 512;

/**
 * Raw text embeddings, [t, D], the same bit for bit as `encodeTexts` gives: from the cache where they are known, else
 * computed and kept, 512 texts at a time, so that work that was stopped goes on. A file is named after all that its numbers
 * follow from (weights, config, precision, the token ids of its texts in order, ONNX Runtime's version), so nothing that is found
 * can be out of date.
 *
 * A damaged file is computed again and reported as a `CACHE_DAMAGED` warning; a cache that cannot be written costs an
 * `OUTPUT_UNWRITABLE` warning, not the result. A text that is cut off is reported each time.
 * @throws what `encodeTexts` throws; `CANCELLED`
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { defaultPool, embedTexts, loadPool } from "clip-interpret/labeling";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { texts } = await loadPool(defaultPool(model.name));
 * const embeddings = await embedTexts(model, texts.map(({ text }) => text));
 * console.log(embeddings.length === texts.length * 128); // → true
 * ```
 */
export async function embedTexts(
  model: TextModel,
  texts: readonly string[],
  { cacheFolder = fileIn(ownCacheFolder(process.env), "texts"), ...work }: EmbedOptions = {},
): Promise<Float32Array> {
  const { report } = work;
  const { embedDim } = model.config;
  const tokens = await model.tokenizeTexts(texts, work);
  const result = new Float32Array(texts.length * embedDim);
  const missing: { start: number; part: number[][]; path: string }[] = [];
  for (let start = 0; start < texts.length; start += PART) {
    const part = tokens.slice(start, start + PART);
    const path = fileIn(cacheFolder, `${await keyOf(model, part)}.bin`);
    const known = await readCached(path, part.length * embedDim, report);
    if (known) result.set(known, start * embedDim);
    else missing.push({ start, part, path });
  }
  if (missing.length === 0) return result;
  const task = "texts";
  const total = missing.reduce((sum, { part }) => sum + part.length, 0);
  report?.({ type: "start", task, unit: "text", total });
  let [done, writable] = [0, true];
  for (const { start, part, path } of missing) {
    const relay: Report = (event) => {
      if (event.type === "advance") report?.({ ...event, task, done: done + event.done, total });
    };
    const embeddings = await model.encodeTokens(part, { ...work, report: relay });
    result.set(embeddings, start * embedDim);
    if (writable) writable = await writeCached(cacheFolder, path, embeddings, report);
    done += part.length;
  }
  report?.({ type: "end", task, done });
  return result;
}

async function keyOf(model: TextModel, tokens: readonly (readonly number[])[]): Promise<string> {
  const { config, precision } = model;
  const identity = [FORMAT, await model.weightsHash(), precision, config, env.versions.node, tokens];
  return sha256Of(JSON.stringify(identity));
}

/** A file is the SHA-256 of what follows, then the numbers as little-endian float32. */
async function readCached(
  path: string,
  length: number,
  report: Report | undefined,
): Promise<Float32Array | undefined> {
  let file: Buffer;
  try {
    file = await readInput(path);
  } catch (error) {
    const { cause } = error as Error;
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      const message = `cannot read ${path}: ${messageOf(cause)}; its texts are embedded again`;
      report?.({ type: "warning", code: "INPUT_UNREADABLE", message });
    }
    return undefined;
  }
  const [digest, numbers] = [file.subarray(0, DIGEST_BYTES), file.subarray(DIGEST_BYTES)];
  if (numbers.length !== 4 * length || !digest.equals(digestOf(numbers))) {
    const message = `${path} is damaged; its texts are embedded again`;
    report?.({ type: "warning", code: "CACHE_DAMAGED", message });
    return undefined;
  }
  // A copy: a part of a Buffer need not lie on a multiple of four bytes.
  return new Float32Array(new Uint8Array(numbers).buffer);
}

/** Keeps embeddings. @returns whether they could be written */
async function writeCached(
  folder: string,
  path: string,
  embeddings: Float32Array,
  report: Report | undefined,
): Promise<boolean> {
  const numbers = Buffer.from(embeddings.buffer, embeddings.byteOffset, embeddings.byteLength);
  try {
    await writeWhole(path, [digestOf(numbers), numbers]);
    return true;
  } catch (cause) {
    const message = `cannot keep text embeddings in ${folder}: ${messageOf(cause)}`;
    report?.({ type: "warning", code: "OUTPUT_UNWRITABLE", message });
    return false;
  }
}

const digestOf = (bytes: Uint8Array): Buffer => Buffer.from(sha256Of(bytes), "hex");
