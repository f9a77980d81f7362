import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads } from "../../model/components.ts";
import { prepareProbe } from "../../model/head-space.ts";
import { scoreTokens } from "../../model/kernel.ts";
import { truncatedIn } from "../../model/notices.ts";
import { contrastProbe } from "../../model/probe.ts";
import { type Tokens, tokensSchema } from "../../results/app.ts";
import { originOf } from "../../results/origin.ts";
import { base64Of } from "../../support/base64.ts";
import { mapPlacement, type SeenImage } from "./segmentation.ts";

/**
 * What every head wrote at every token: with it a page draws the map of any heads, and the heads of any patch, without
 * asking again.
 * @param probes the text's, then those whose mean is taken off it
 */
export async function everyHeadsTokens(
  model: ClipModel,
  { image, shown, decomposition }: SeenImage,
  words: { readonly text: string; readonly against: readonly string[] },
  [text, ...against]: readonly Float64Array[],
): Promise<Tokens> {
  const { geometry, config } = model;
  const { tokens } = decomposition.tokens;
  const probe = prepareProbe(geometry, against.length > 0 ? contrastProbe(text, against) : text);
  const every = allHeads(geometry).heads;
  const values = new Float32Array(every.length * tokens);
  for (const [i, head] of every.entries()) {
    const set = { heads: [head], mlps: [] };
    values.set(scoreTokens(geometry, probe, decomposition, decomposition.tokens, set), i * tokens);
  }
  const { grid } = config.vision;
  return tokensSchema.parse({
    origin: await originOf({ model, image }),
    ...words,
    ...(await truncatedIn(model, [words.text, ...words.against])),
    ...{ layers: geometry.layers, heads: geometry.heads, grid: { rows: grid, columns: grid } },
    original: { width: shown.width, height: shown.height },
    placement: mapPlacement(shown.placement, config.vision),
    values: base64Of(new Uint8Array(values.buffer)),
  });
}
