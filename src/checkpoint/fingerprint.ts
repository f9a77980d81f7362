import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { ClipWeights } from "./weight-roles.ts";
import { tensorsIn } from "./weights.ts";

/**
 * SHA-256 (hex) over the files that a checkpoint's weights lie in, in the order of their names: what two results must
 * share to be comparable. Reads every byte; a gigabyte takes a second or two.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`
 */
export const hashWeights = (bytes: Bytes, weights: ClipWeights): Promise<string> =>
  bytes.hash([...weightFiles(weights)].sort());

/** Sees that a checkpoint's weight files are those that it was read from. @throws `CHECKPOINT_CHANGED` */
export type RequireUnchanged = () => Promise<void>;

/**
 * Remembers which files a checkpoint's weights lie in now. Weights are references into files that are mapped when they
 * are first needed; were a file replaced in between, one model would be made of two.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`
 */
export async function watchWeights(bytes: Bytes, weights: ClipWeights): Promise<RequireUnchanged> {
  const files = [...weightFiles(weights)];
  const read = () => Promise.all(files.map((file) => bytes.identify(file)));
  const known = await read();
  return async () => {
    const changed = (await read()).findIndex((identity, i) => identity !== known[i]);
    if (changed < 0) return;
    const message = `${files[changed]} was replaced or written to while the model was in use`;
    throw new ClipInterpretError("CHECKPOINT_CHANGED", message);
  };
}

/** Every file that a tensor of these weights lies in. */
const weightFiles = (weights: ClipWeights) => new Set(tensorsIn(weights).map(({ file }) => file));
