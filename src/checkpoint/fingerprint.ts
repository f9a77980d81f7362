import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { inputError } from "../support/files.ts";
import type { TensorRef } from "./safetensors.ts";
import type { ClipWeights } from "./weights.ts";

/**
 * SHA-256 (hex) over the files that a checkpoint's weights lie in, in the order of their names: what two results must
 * share to be comparable. Reads every byte; a gigabyte takes a second or two.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`
 */
export async function hashWeights(weights: ClipWeights): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [...weightFiles(weights)].sort()) {
    try {
      await pipeline(createReadStream(file), hash, { end: false });
    } catch (cause) {
      throw inputError(file, cause);
    }
  }
  return hash.digest("hex");
}

/** Every file that a tensor of these weights lies in. */
function weightFiles(part: unknown, found = new Set<string>()): Set<string> {
  if (typeof part !== "object" || part === null) return found;
  if (isTensor(part)) found.add(part.file);
  else for (const value of Object.values(part)) weightFiles(value, found);
  return found;
}

const isTensor = (part: object): part is TensorRef => "file" in part && "offset" in part && "dtype" in part;
