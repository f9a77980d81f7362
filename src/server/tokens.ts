import type { z } from "zod";
import { layersOf, mapPlacement, segmentDecomposed } from "../analysis/segmentation/segmentation.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { allHeads, type ComponentSet } from "../model/components.ts";
import { prepareProbe } from "../model/head-space.ts";
import { scoreTokens } from "../model/kernel.ts";
import { contrastProbe } from "../model/probe.ts";
import type { tokensSchema } from "../results/app.ts";
import type { segmentResultSchema } from "../results/segment.ts";
import { segmentJson } from "../results/segment-json.ts";
import type { Look } from "./looks.ts";

/** What an answer about places in an image has in common. */
function placeOf({ name, precision, config }: ClipModel, { image, shown }: Look) {
  const { width, height } = shown;
  const placement = mapPlacement(shown.placement, config.vision);
  return { model: name, precision, sha256: image.sha256, grid: config.vision.grid, width, height, placement };
}

/**
 * [L, H, N] of one probe: with it a page draws the map of any heads, and the heads of any patch, without asking again.
 * @param probes the text's, then those whose mean is taken off it
 */
export function everyHeadsTokens(
  model: ClipModel,
  look: Look,
  [text, ...against]: readonly Float64Array[],
): Omit<z.infer<typeof tokensSchema>, "image" | "text" | "against"> {
  const { geometry } = model;
  const { decomposition } = look;
  const { tokens } = decomposition.tokens;
  const probe = prepareProbe(geometry, against.length > 0 ? contrastProbe(text, against) : text);
  const every = allHeads(geometry).heads;
  const values = new Float32Array(every.length * tokens);
  for (const [i, head] of every.entries()) {
    const set = { heads: [head], mlps: [] };
    values.set(scoreTokens(geometry, probe, decomposition, decomposition.tokens, set), i * tokens);
  }
  return {
    ...placeOf(model, look),
    ...{ layers: geometry.layers, heads: geometry.heads },
    values: Buffer.from(values.buffer).toString("base64"),
  };
}

/** The maps of some heads, one a text, as `segment --json` has them. @throws `HEADS_INVALID` for MLP terms */
export function segmentLook(
  model: ClipModel,
  look: Look,
  texts: readonly string[],
  plain: readonly Float64Array[],
  set: ComponentSet,
  mode: "topic" | "contrast",
): Omit<z.infer<typeof segmentResultSchema>, "image" | "heads"> {
  layersOf(set);
  const { decomposition, shown } = look;
  const found = segmentDecomposed(model, decomposition, shown.placement, { texts, plain, set, mode });
  return { model: model.name, precision: model.precision, ...segmentJson(found, shown) };
}
