/**
 * What other methods make of an image, to compare with: each reads the network's tokens in another way and knows
 * nothing of the decomposition. All give one value a patch, in reading order.
 */
import type { ClipModel } from "../../model/clip-model.ts";
import type { TokenOutputs } from "../../model/token-outputs.ts";
import { type Baseline, patchCosine } from "./baseline.ts";
import { CLEARCLIP } from "./clearclip.ts";
import { GEM } from "./gem.ts";
import { GRAD_ECLIP } from "./grad-eclip.ts";
import { LEGRAD } from "./legrad.ts";
import { NACLIP } from "./naclip.ts";
import { SCLIP } from "./sclip.ts";

/** The methods that a map is compared with. */
export const BASELINES: readonly Baseline[] = [
  {
    name: "attention",
    title: "raw attention",
    paper: "last layer, from CLS, mean over heads, as in Chefer, Gur & Wolf 2021",
    withoutCls: "last layer, from all patches alike, mean over heads",
    readsText: false,
    map: (outputs, _, image) => rawAttention(outputs, image),
  },
  {
    name: "rollout",
    title: "attention rollout",
    paper: "Abnar & Zuidema 2020",
    readsText: false,
    map: (outputs, _, image) => attentionRollout(outputs, { image }),
  },
  {
    name: "cosine",
    title: "patch–text cosine",
    paper: "image–text similarity map, Li et al. 2022 (ECLIP)",
    readsText: true,
    map: (outputs, probe, image) => patchCosine(outputs.projected, outputs, probe, image),
  },
  {
    name: "maskclip",
    title: "MaskCLIP",
    paper: "Zhou, Loy & Dai 2022",
    readsText: true,
    map: (outputs, probe, image) => patchCosine(outputs.projectedValues, outputs, probe, image),
  },
  ...[SCLIP, CLEARCLIP, NACLIP, GEM, LEGRAD, GRAD_ECLIP],
];

/** Those that are defined for a model. */
export const baselinesOf = (model: Pick<ClipModel, "config" | "checkpoint">): Baseline[] =>
  BASELINES.filter(({ fits }) => fits?.(model) ?? true);

/** What a pass must compute for some methods' maps: what depends on no text, or what depends on one. */
export const featuresOf = (baselines: readonly Baseline[], readsProbe: boolean) =>
  baselines.flatMap(({ feature }) => (feature?.readsProbe === readsProbe ? [feature] : []));

/** What one method makes of one image. */
export interface BaselineMap extends Pick<Baseline, "name" | "title" | "paper"> {
  /** Which of the texts it is for; null where the method reads none. */
  readonly text: number | null;
  readonly values: Float64Array;
}

/**
 * Every method's map of one image; those that read one, for each text.
 * @param pixels [1, 3, size, size], normalised
 * @param probes texts as unit vectors
 */
export async function baselineMaps(
  model: ClipModel,
  pixels: Float32Array,
  probes: readonly Float64Array[],
): Promise<BaselineMap[]> {
  const baselines = baselinesOf(model);
  const common = await model.readTokens(pixels, { features: featuresOf(baselines, false) });
  const ofText = featuresOf(baselines, true);
  const own = await Promise.all(
    probes.map((probe) =>
      ofText.length > 0 ? model.readTokens(pixels, { features: ofText, probe }) : common,
    ),
  );
  return baselines.flatMap(({ name, title, paper, withoutCls = paper, readsText, feature, map }) =>
    (readsText ? probes : probes.slice(0, 1)).map((probe, text) => ({
      ...{ name, title, paper: common.readsCls ? paper : withoutCls },
      text: readsText ? text : null,
      values: map(feature?.readsProbe ? own[text] : common, probe, 0),
    })),
  );
}

/** Where maps of attention start: at the CLS token, or where none is read, at every patch alike. */
type Start = Pick<TokenOutputs, "tokens" | "prefix" | "patches" | "readsCls">;

function startRow({ tokens, prefix, patches, readsCls }: Start): Float64Array {
  const row = new Float64Array(tokens);
  if (readsCls) row[0] = 1;
  else row.fill(1 / patches, prefix, prefix + patches);
  return row;
}

/** The attention of the last layer from CLS to the patches, the mean over heads; without CLS from all patches, their mean. */
export function rawAttention(
  outputs: Start & Pick<TokenOutputs, "attention" | "layers">,
  image = 0,
): Float64Array {
  const { attention, layers, tokens, prefix, patches } = outputs;
  const start = (image * layers + layers - 1) * tokens * tokens;
  const seen = new Float64Array(tokens);
  for (const [from, weight] of startRow(outputs).entries()) {
    if (weight === 0) continue;
    for (let to = 0; to < tokens; to++) seen[to] += weight * attention[start + from * tokens + to];
  }
  return seen.slice(prefix, prefix + patches);
}

/**
 * Attention rollout (Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", §3, eq. 1): with Ã_l =
 * (A_l + I)/2, the CLS row of Ã_L·…·Ã_1, at the patches (without CLS the mean of all patches' rows). A_l is the mean over heads; its rows sum to one already.
 *
 * @param options `startLayer`: the first layer that takes part. The paper's is 0; the evaluation of Chefer et al. left
 *   the first layer out (1).
 */
export function attentionRollout(
  outputs: Start & Pick<TokenOutputs, "attention" | "layers">,
  { image = 0, startLayer = 0 }: { image?: number; startLayer?: number } = {},
): Float64Array {
  const { attention, layers, tokens, prefix, patches } = outputs;
  let row = startRow(outputs);
  for (let layer = layers - 1; layer >= startLayer; layer--) {
    const start = (image * layers + layer) * tokens * tokens;
    const next = new Float64Array(tokens);
    for (let from = 0; from < tokens; from++) {
      const share = row[from] / 2;
      next[from] += share;
      for (let to = 0; to < tokens; to++) next[to] += share * attention[start + from * tokens + to];
    }
    row = next;
  }
  return row.slice(prefix, prefix + patches);
}
