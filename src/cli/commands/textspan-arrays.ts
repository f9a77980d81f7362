import { basename } from "node:path";
import { spanArrays, writeReconstruction } from "../../analysis/textspan/arrays.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput } from "../../support/files.ts";
import { readFloatNpy } from "../../support/npy.ts";
import { openNpyRows } from "../../support/npy-stream.ts";
import { loadPool, POOLS, type PoolText } from "../../text/pool.ts";
import { parsePoolText } from "../../text/pool-file.ts";
import { counted } from "../../views/kit/text.ts";
import type { CommandContext } from "../context.ts";
import { refuseOverwrite } from "../overwrite.ts";
import type { TextspanCommandOptions } from "./textspan-options.ts";
import { writeTextspan } from "./textspan-output.ts";

/** `textspan --contributions C.npy --text-features T.npy`: arrays that were computed elsewhere. */
export async function spanRawArrays(context: CommandContext, options: TextspanCommandOptions): Promise<void> {
  const { globals, report, signal, say } = context;
  const {
    contributions: path = "",
    textFeatures = "",
    texts,
    reconstruction,
    iterations,
    rank,
    seed,
    control: rotations,
  } = options;
  for (const out of reconstruction === undefined ? [] : [path, textFeatures])
    refuseOverwrite(reconstruction ?? "", out);
  const features = await readFloatNpy(textFeatures, 2);
  const named = texts === undefined ? undefined : await namesOf(texts);
  const [count] = features.shape;
  if (named && named.length !== count) {
    const message = `${texts} holds ${counted(named.length, "text")}, ${textFeatures} has ${counted(count, "row")}`;
    throw new ClipInterpretError("NPY_INVALID", message);
  }
  const contributions = await openNpyRows(path, 2);
  try {
    const { result, span } = await spanArrays(contributions, features, {
      ...{ iterations, seed, rotations, threads: globals.threads, report, signal },
      ...(rank !== undefined && { rank }),
      names: { contributions: basename(path), textFeatures: basename(texts ?? textFeatures) },
      ...(named && { texts: named }),
    });
    if (reconstruction !== undefined)
      await writeReconstruction(contributions, span, reconstruction, { signal });
    await writeTextspan(context, result, options.out);
    if (reconstruction !== undefined) say(`reconstruction written: ${reconstruction}`);
  } finally {
    await contributions.close();
  }
}

/** The texts that the rows of the features are of: every line counts, repeated or not. */
async function namesOf(texts: string): Promise<readonly PoolText[]> {
  if (POOLS.some((name) => name === texts)) return (await loadPool(texts)).texts;
  return parsePoolText(await readInput(texts), texts);
}
