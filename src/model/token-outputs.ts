import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { FloatTensor, Session } from "../onnx/session.ts";
import type { TokenFeature } from "../onnx/token-features.ts";
import { pixelTensor } from "./decompose.ts";
import { notNumbers } from "./decomposition.ts";

/** Where all tokens of b images look and what becomes of each: what methods beside the decomposition segment by. */
export interface TokenOutputs {
  readonly count: number;
  /** N: patches in reading order, after the CLS token where there is one. */
  readonly tokens: number;
  /** Tokens before the patches: 1 with a CLS token, else 0. */
  readonly prefix: 0 | 1;
  /** How many patches there are behind the prefix. */
  readonly patches: number;
  /** Whether the embedding is read at the CLS token, or from all patches. */
  readonly readsCls: boolean;
  readonly layers: number;
  readonly embedDim: number;
  /** [b, L, N, N]: attention weights, the mean over heads; a row is a query and sums to one. */
  readonly attention: Float32Array;
  /** [b, N, D]: every token on its way to the embedding as if it were pooled alone: `ln_post`, a pool of attention, projection. */
  readonly projected: Float32Array;
  /** [b, N, D]: the same where each token of the last layer attends to itself alone. */
  readonly projectedValues: Float32Array;
  /** What other methods asked for, by name: [b, N, D], or of a method that reads a text at once its map, [b, patches]. */
  readonly features: ReadonlyMap<string, Float32Array>;
}

/** What is read of the tokens beyond what every pass gives. */
export interface ReadTokensOptions {
  readonly features?: readonly TokenFeature[];
  /** [D]: the direction in the joint space for features that read one, the same for every image. */
  readonly probe?: Float64Array;
}

/**
 * Runs the image tower to the end for every token.
 * @param session a vision graph of kind `tokens`
 * @param pixels [b, 3, size, size], normalised
 * @throws `PIXELS_MISMATCH`; `SUM_MISMATCH` when the outputs are no numbers
 */
export async function readTokens(
  session: Session,
  { vision: { imageSize, layers, tokens, prefix, grid, pooling }, embedDim }: ModelConfig,
  pixels: Float32Array,
  { features = [], probe }: ReadTokensOptions = {},
): Promise<TokenOutputs> {
  const tensor = pixelTensor(pixels, imageSize);
  const [count] = tensor.dims;
  const out = await session.run({
    pixels: tensor,
    ...(features.some(({ readsProbe }) => readsProbe) && { probe: rowsOf(probe, count, embedDim) }),
  });
  if (!out.projected.data.every(Number.isFinite)) throw notNumbers("what an image's tokens become");
  return {
    ...{ count, tokens, prefix, patches: grid * grid, readsCls: pooling === "cls" },
    layers,
    embedDim,
    attention: out.attentions.data,
    projected: out.projected.data,
    projectedValues: out.projectedValues.data,
    features: new Map(features.map(({ name }) => [name, out[`feature.${name}`].data])),
  };
}

/** One direction for each of some images: [b, D]. */
function rowsOf(probe: Float64Array | undefined, count: number, embedDim: number): FloatTensor {
  if (probe?.length !== embedDim) throw new RangeError(`a probe of ${embedDim} numbers is needed`);
  const data = new Float32Array(count * embedDim);
  for (let image = 0; image < count; image++) data.set(probe, image * embedDim);
  return { data, dims: [count, embedDim] };
}
