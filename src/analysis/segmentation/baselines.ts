/**
 * What other methods make of an image, to compare with: each reads the network's tokens in another way and knows
 * nothing of the decomposition. All give one value a patch, in reading order.
 */
import { dot } from "../../math/linear.ts";
import type { TokenOutputs } from "../../model/token-outputs.ts";

/** A method with its paper and the map that it makes of one image, for a text if it reads one. */
export interface Baseline {
  readonly name: BaselineName;
  readonly title: string;
  readonly paper: string;
  /** What it is in place of that where no CLS token is read, if it is another. */
  readonly withoutCls?: string;
  /** False where the map is the same whatever is looked for. */
  readonly readsText: boolean;
  readonly map: (outputs: TokenOutputs, probe: Float64Array, image: number) => Float64Array;
}

/** The methods by name. */
export type BaselineName = "attention" | "rollout" | "cosine" | "maskclip";

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
];

/** What one method makes of one image. */
export interface BaselineMap extends Omit<Baseline, "map" | "readsText" | "withoutCls"> {
  /** Which of the texts it is for; null where the method reads none. */
  readonly text: number | null;
  readonly values: Float64Array;
}

/** Every method's map of one image; those that read one, for each text. @param probes texts as unit vectors */
export function baselineMaps(
  outputs: TokenOutputs,
  probes: readonly Float64Array[],
  image = 0,
): BaselineMap[] {
  return BASELINES.flatMap(({ name, title, paper, withoutCls = paper, readsText, map }) =>
    (readsText ? probes : probes.slice(0, 1)).map((probe, text) => ({
      ...{ name, title, paper: outputs.readsCls ? paper : withoutCls },
      text: readsText ? text : null,
      values: map(outputs, probe, image),
    })),
  );
}

/** Where maps of attention start: at the CLS token, or where none is read, at every patch alike. */
type Start = Pick<TokenOutputs, "tokens" | "prefix" | "readsCls">;

function startRow({ tokens, prefix, readsCls }: Start): Float64Array {
  const row = new Float64Array(tokens);
  if (readsCls) row[0] = 1;
  else row.fill(1 / (tokens - prefix), prefix);
  return row;
}

/** The attention of the last layer from CLS to the patches, the mean over heads; without CLS from all patches, their mean. */
export function rawAttention(
  outputs: Start & Pick<TokenOutputs, "attention" | "layers">,
  image = 0,
): Float64Array {
  const { attention, layers, tokens, prefix } = outputs;
  const start = (image * layers + layers - 1) * tokens * tokens;
  const seen = new Float64Array(tokens);
  for (const [from, weight] of startRow(outputs).entries()) {
    if (weight === 0) continue;
    for (let to = 0; to < tokens; to++) seen[to] += weight * attention[start + from * tokens + to];
  }
  return seen.slice(prefix);
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
  const { attention, layers, tokens, prefix } = outputs;
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
  return row.slice(prefix);
}

/** The cosine of every patch with a text. @param projected [b, N, D] @param probe a unit vector, [D] */
function patchCosine(
  projected: Float32Array,
  { tokens, prefix, embedDim }: TokenOutputs,
  probe: Float64Array,
  image: number,
): Float64Array {
  return Float64Array.from({ length: tokens - prefix }, (_, patch) => {
    const start = (image * tokens + patch + prefix) * embedDim;
    return dot(projected, probe, start) / Math.sqrt(dot(projected, projected, start, start, embedDim));
  });
}
