import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { ClipInterpretError } from "../support/errors.ts";
import { inputError } from "../support/files.ts";
import type { ClipWeights } from "./weight-roles.ts";
import { tensorsIn } from "./weights.ts";

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

/** Sees that a checkpoint's weight files are those that it was read from. @throws `CHECKPOINT_CHANGED` */
export type RequireUnchanged = () => Promise<void>;

/**
 * Remembers which files a checkpoint's weights lie in now. Weights are references into files that are mapped when they
 * are first needed; were a file replaced in between, one model would be made of two.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`
 */
export async function watchWeights(weights: ClipWeights): Promise<RequireUnchanged> {
  const files = [...weightFiles(weights)];
  const read = () => Promise.all(files.map(identify));
  const known = await read();
  return async () => {
    const changed = (await read()).findIndex((identity, i) => identity !== known[i]);
    if (changed < 0) return;
    const message = `${files[changed]} was replaced or written to while the model was in use`;
    throw new ClipInterpretError("CHECKPOINT_CHANGED", message);
  };
}

async function identify(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs].join();
  } catch (cause) {
    throw inputError(file, cause);
  }
}

/** Every file that a tensor of these weights lies in. */
const weightFiles = (weights: ClipWeights) => new Set(tensorsIn(weights).map(({ file }) => file));
