import { basename } from "node:path";
import { spanArrays, writeReconstruction } from "../../analysis/textspan/arrays.ts";
import { textspanArraysResultSchema } from "../../results/textspan.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput } from "../../support/files.ts";
import { readFloatNpy } from "../../support/npy.ts";
import { openNpyRows } from "../../support/npy-stream.ts";
import { loadPool, POOLS, type PoolText } from "../../text/pool.ts";
import { parsePoolText } from "../../text/pool-file.ts";
import { counted } from "../../views/kit/text.ts";
import { textspanText } from "../../views/textspan/terminal.ts";
import type { TextspanInput } from "../../views/textspan/words.ts";
import type { CommandContext } from "../context.ts";
import { refuseOverwrite } from "../overwrite.ts";
import type { TextspanCommandOptions } from "./textspan-options.ts";
import { writeOutputs } from "./textspan-output.ts";

/** `textspan --contributions C.npy --text-features T.npy`: arrays that were computed elsewhere. */
export async function spanRawArrays(
  { globals, report, signal, streams, say, result }: CommandContext,
  options: TextspanCommandOptions,
): Promise<void> {
  const {
    contributions: path = "",
    textFeatures = "",
    texts,
    reconstruction,
    iterations,
    rank,
    seed,
  } = options;
  for (const out of reconstruction === undefined ? [] : [path, textFeatures])
    refuseOverwrite(reconstruction ?? "", out);
  const features = await readFloatNpy(textFeatures, 2);
  const names = texts === undefined ? undefined : await namesOf(texts);
  const [count] = features.shape;
  if (names && names.length !== count) {
    const message = `${texts} holds ${counted(names.length, "text")}, ${textFeatures} has ${counted(count, "row")}`;
    throw new ClipInterpretError("NPY_INVALID", message);
  }
  const contributions = await openNpyRows(path, 2);
  try {
    const work = { iterations, seed, threads: globals.threads, report, signal };
    const span = await spanArrays(contributions, features, { ...work, ...(rank !== undefined && { rank }) });
    if (reconstruction !== undefined)
      await writeReconstruction(contributions, span, reconstruction, { signal });
    const { selected, explainedVariance, totalVariance, numericalRank, images, control } = span;
    const json = textspanArraysResultSchema.parse({
      ...{
        selected,
        explainedVariance,
        totalVariance,
        rank: span.rank,
        numericalRank,
        images,
        iterations,
        control,
      },
      requestedRank: rank ?? null,
      texts: names ? selected.map((index) => names[index].text) : null,
    });
    const picture: TextspanInput = {
      subject: basename(path),
      images,
      pool: `${counted(count, "text")} (${basename(texts ?? textFeatures)})`,
      resamples: 0,
      panels: [
        {
          ...{ name: basename(path), rank: span.rank, random: control.randomTexts, ceiling: control.ceiling },
          texts: selected.map((index, step) => ({
            text: names?.[index].text ?? `text ${index}`,
            property: names?.[index].property ?? null,
            share: explainedVariance[step],
            chosenShare: null,
          })),
          ...{ explained: null, overlap: null },
        },
      ],
    };
    await writeOutputs(options.out, json, picture);
    result(json, () => textspanText(picture, { columns: streams.stdout.columns ?? 80 }));
    if (reconstruction !== undefined) say(`reconstruction written: ${reconstruction}`);
    for (const out of options.out) say(`written: ${out}`);
  } finally {
    await contributions.close();
  }
}

/** The texts that the rows of the features are of: every line counts, repeated or not. */
async function namesOf(texts: string): Promise<readonly PoolText[]> {
  if (POOLS.some((name) => name === texts)) return (await loadPool(texts)).texts;
  return parsePoolText(await readInput(texts), texts);
}
