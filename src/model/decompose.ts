import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { MatMul } from "../onnx/matmul.ts";
import type { FloatTensor, Session } from "../onnx/session.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkSums, type Decomposition, mlpContributions, rowMoments, rowNorms } from "./decomposition.ts";
import type { HeadGeometry } from "./geometry.ts";
import type { TokenTerms } from "./token-terms.ts";

/** A gate inside the network: in head (l,h) at every token, z becomes z·gate + offset. */
export interface Gate {
  /** [L, H]; 1 leaves a head as it is, 0 silences it. */
  readonly gate: Float32Array;
  /** [L, N, H, d_h]; added after the gate. */
  readonly offset: Float32Array;
}

/** What a decomposition is asked for beyond its parts. */
export interface DecomposeOptions {
  /** Layers whose tokens are wanted too. Not together with a gate, under which tokens do not add up to heads. */
  readonly tokenLayers?: readonly number[];
  readonly gate?: Gate;
}

/** A decomposition with the token terms of the layers asked for. */
export interface TokenDecomposition extends Decomposition {
  readonly tokens: TokenTerms;
}

/**
 * Runs the image tower on a batch and takes the result apart; the parts are checked to add up.
 *
 * @param session a vision graph of kind `decompose`, made with the same options
 * @param pixels [b, 3, size, size], normalised
 * @throws `PIXELS_MISMATCH`; `SUM_MISMATCH` when the self-check fails
 */
export async function decompose(
  session: Session,
  matmul: MatMul,
  { vision, embedDim }: ModelConfig,
  geometry: HeadGeometry,
  pixels: Float32Array,
  { tokenLayers = [], gate }: DecomposeOptions = {},
): Promise<TokenDecomposition> {
  const { layers, heads, width, tokens, epsilon } = vision;
  const tensor = pixelTensor(pixels, vision.imageSize);
  const [count] = tensor.dims;
  const out = await session.run({
    pixels: tensor,
    ...(gate && {
      gate: { data: gate.gate, dims: [layers, heads] },
      offset: { data: gate.offset, dims: [layers, tokens, width] },
    }),
  });
  const { mu, sigma } = rowMoments(out.residual.data, width, epsilon);
  const norm = rowNorms(out.embedding.data, embedDim);
  const mlps = mlpContributions(out.terms.data, geometry, { mu, sigma, norm });
  const parts = { count, z: out.z.data, mu, sigma, norm, embedding: out.embedding.data, mlps };
  const headSums = await matmul(
    { data: parts.z, dims: [1, count, layers * width] },
    { data: geometry.M, dims: [1, layers * width, embedDim] },
  );
  const error = checkSums(headSums, geometry, parts);
  const layerTokens = tokenLayers.map((layer) => {
    const terms = { attention: out[`attention.${layer}`].data, values: out[`values.${layer}`].data };
    return [layer, terms] as const;
  });
  return { ...parts, error, tokens: { tokens, layers: new Map(layerTokens) } };
}

/** A batch of pixels as the image tower takes it. @throws `PIXELS_MISMATCH` */
export function pixelTensor(pixels: Float32Array, imageSize: number): FloatTensor {
  const count = pixels.length / (3 * imageSize * imageSize);
  if (!Number.isInteger(count) || count < 1) {
    const wanted = `[n, 3, ${imageSize}, ${imageSize}]`;
    throw new ClipInterpretError(
      "PIXELS_MISMATCH",
      `${pixels.length} values are not pixels of shape ${wanted}`,
    );
  }
  return { data: pixels, dims: [count, 3, imageSize, imageSize] };
}
