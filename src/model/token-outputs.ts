import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { Session } from "../onnx/session.ts";
import { pixelTensor } from "./decompose.ts";
import { notNumbers } from "./decomposition.ts";

/** Where all tokens of b images look and what becomes of each: what methods beside the decomposition segment by. */
export interface TokenOutputs {
  readonly count: number;
  /** N: patches in reading order, after the CLS token where there is one. */
  readonly tokens: number;
  /** Tokens before the patches: 1 with a CLS token, else 0. */
  readonly prefix: 0 | 1;
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
}

/**
 * Runs the image tower to the end for every token.
 * @param session a vision graph of kind `tokens`
 * @param pixels [b, 3, size, size], normalised
 * @throws `PIXELS_MISMATCH`; `SUM_MISMATCH` when the outputs are no numbers
 */
export async function readTokens(
  session: Session,
  { vision: { imageSize, layers, tokens, prefix, pooling }, embedDim }: ModelConfig,
  pixels: Float32Array,
): Promise<TokenOutputs> {
  const tensor = pixelTensor(pixels, imageSize);
  const out = await session.run({ pixels: tensor });
  if (!out.projected.data.every(Number.isFinite)) throw notNumbers("what an image's tokens become");
  return {
    count: tensor.dims[0],
    ...{ tokens, prefix, readsCls: pooling === "cls" },
    layers,
    embedDim,
    attention: out.attentions.data,
    projected: out.projected.data,
    projectedValues: out.projectedValues.data,
  };
}
