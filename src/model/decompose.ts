import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { MatMul } from "../onnx/matmul.ts";
import type { FloatTensor, Session } from "../onnx/session.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkSums, type Decomposition, mlpContributions, rowMoments, rowNorms } from "./decomposition.ts";
import type { HeadGeometry, HeadWatch } from "./geometry.ts";
import type { LayerTokens, TokenTerms } from "./token-terms.ts";

/** A gate inside the network: in head (l,h) at every token, z becomes z·gate + offset, and what belongs to single directions goes. */
export interface Gate {
  /** [L, H]; 1 leaves a head as it is, 0 silences it. */
  readonly gate: Float32Array;
  /** [L, N, H, d_h]; added after the gate. */
  readonly offset: Float32Array;
  /** (z·reads)·writes is added too: `reads` `[L, W, R]`, `writes` `[L, R, W]`. */
  readonly along?: { readonly reads: Float32Array; readonly writes: Float32Array };
}

/** What a decomposition is asked for beyond its parts. */
export interface DecomposeOptions {
  /** Layers whose tokens are wanted too. Not together with a gate, under which tokens do not add up to heads. */
  readonly tokenLayers?: readonly number[];
  /** Layers whose heads' outputs are wanted at every token, not at CLS alone. */
  readonly outputLayers?: readonly number[];
  readonly gate?: Gate;
}

/** A decomposition with the token terms of the layers asked for. */
export interface TokenDecomposition extends Decomposition {
  readonly tokens: TokenTerms;
  /** z of the layers asked for, [b, N, H, d_h]; of the last layer [b, 1, H, d_h] where only CLS is read. */
  readonly outputs: ReadonlyMap<number, Float32Array>;
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
  { vision }: ModelConfig,
  geometry: HeadGeometry,
  pixels: Float32Array,
  { tokenLayers = [], outputLayers = [], gate }: DecomposeOptions = {},
): Promise<TokenDecomposition> {
  const { layers, heads, width, tokens, epsilon } = vision;
  const tensor = pixelTensor(pixels, vision.imageSize);
  const [count] = tensor.dims;
  const out = await session.run({
    pixels: tensor,
    ...(gate && {
      gate: { data: gate.gate, dims: [layers, heads] },
      offset: { data: gate.offset, dims: [layers, tokens, width] },
      ...alongTensors(gate, layers, width),
    }),
  });
  const tower = { width, epsilon, tokens, prefix: vision.prefix, patches: vision.grid ** 2 };
  return takeApart(out, tower, matmul, geometry, { count, tokenLayers, outputLayers });
}

/** What is added along directions; nothing where a gate has none. */
function alongTensors({ along }: Gate, layers: number, width: number) {
  const { reads, writes } = along ?? {
    reads: new Float32Array(layers * width),
    writes: new Float32Array(layers * width),
  };
  const rank = reads.length / layers / width;
  return {
    reads: { data: reads, dims: [layers, width, rank] },
    writes: { data: writes, dims: [layers, rank, width] },
  };
}

/** A tower whose outputs are taken apart. */
interface Tower extends Pick<TokenTerms, "tokens" | "prefix" | "patches"> {
  readonly width: number;
  readonly epsilon: number;
}

/** What was asked of a batch of `count`. */
interface Asked extends Pick<DecomposeOptions, "tokenLayers" | "outputLayers"> {
  readonly count: number;
  /** What one of the batch is, in the words of an error. */
  readonly each?: string;
  /** Holds z to the sum of all heads that the graph gave. */
  readonly watch?: HeadWatch | undefined;
}

/**
 * Takes apart what a tower's graph of kind `decompose` gave; the parts are checked to add up.
 * @throws `SUM_MISMATCH`
 */
export async function takeApart(
  out: Readonly<Record<string, FloatTensor>>,
  { width, epsilon, tokens, prefix, patches }: Tower,
  matmul: MatMul,
  geometry: HeadGeometry,
  { count, tokenLayers = [], outputLayers = [], each, watch }: Asked,
): Promise<TokenDecomposition> {
  const { layers, heads, embedDim } = geometry;
  const { mu, sigma } = momentsOf(out, count, width, epsilon);
  const norm = rowNorms(out.embedding.data, embedDim);
  const mlps = mlpContributions(out.terms.data, geometry, { mu, sigma, norm });
  const parts = { count, z: out.z.data, mu, sigma, norm, embedding: out.embedding.data, mlps };
  const error = watch
    ? checkSums(withoutBiases(out.heads.data, geometry), geometry, parts, { each, watch })
    : checkSums(await headSums(), geometry, parts, { each });
  const layerTokens = tokenLayers.map((layer, at) => [layer, tokensOf(layer, at)] as const);
  const outputs = new Map(outputLayers.map((layer) => [layer, out[`outputs.${layer}`].data] as const));
  return {
    ...parts,
    error,
    tokens: { tokens, prefix, patches, layers: new Map(layerTokens) },
    outputs,
  };

  /** A layer's own outputs, or its piece of what a CLIP's text graph gives of all of them together, as views. */
  function tokensOf(layer: number, at: number): LayerTokens {
    const piece = ({ data }: FloatTensor) =>
      data.subarray((at * data.length) / tokenLayers.length, ((at + 1) * data.length) / tokenLayers.length);
    return "attentions" in out
      ? { attention: piece(out.attentions), values: piece(out.values) }
      : { attention: out[`attention.${layer}`].data, values: out[`values.${layer}`].data };
  }

  async function headSums(): Promise<Float32Array> {
    if (geometry.whole) return sumHeads(parts.z, count, embedDim);
    return matmul(
      { data: parts.z, dims: [1, count, layers * heads * geometry.headDim] },
      { data: geometry.M, dims: [1, layers * heads * geometry.headDim, embedDim] },
    );
  }
}

/** What attention added in all layers, [b, D], less what its output biases did. */
function withoutBiases(added: Float32Array, { k, embedDim }: HeadGeometry): Float64Array {
  const sums = Float64Array.from(added);
  for (let i = 0; i < sums.length; i++)
    for (let at = i % embedDim; at < k.length; at += embedDim) sums[i] -= k[at];
  return sums;
}

/** What the last norm subtracted and divided by; 0 and 1 with attention pooling, where terms are whole already. */
function momentsOf(
  { residual, deviation }: Readonly<Record<string, FloatTensor | undefined>>,
  count: number,
  width: number,
  epsilon: number,
): { mu: Float64Array; sigma: Float64Array } {
  if (!residual) return { mu: new Float64Array(count), sigma: new Float64Array(count).fill(1) };
  const { mu, sigma } = rowMoments(residual.data, width, epsilon);
  return { mu, sigma: deviation ? Float64Array.from(deviation.data) : sigma };
}

/** Σ of all heads' contributions, [b, D]. */
export function sumHeads(z: Float32Array, count: number, embedDim: number): Float32Array {
  const sums = new Float64Array(count * embedDim);
  const each = z.length / count;
  for (let i = 0; i < z.length; i++) sums[Math.floor(i / each) * embedDim + (i % embedDim)] += z[i];
  return Float32Array.from(sums);
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
