import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";

/*
 * A CLIP's tensors by role, and how they are found under the names that a library gives them.
 */

/** A linear map in PyTorch's layout: weight [out, in], bias [out] where it has one. */
export interface Linear {
  readonly weight: TensorRef;
  readonly bias?: TensorRef;
}

/** A layer normalisation's γ and β, both [width]. */
export interface Norm {
  readonly weight: TensorRef;
  readonly bias: TensorRef;
}

/** The final projection into the joint space: [width, D], or its transpose as transformers stores it; a bias is [D]. */
export interface Projection {
  readonly weight: TensorRef;
  readonly transposed: boolean;
  readonly bias?: TensorRef;
}

/**
 * One residual block: x + out(attention(ln1 x)), then x + fc2(activation(fc1(ln2 x))). What only some models have is
 * optional, and does what its name says where it is there.
 */
export interface Block {
  readonly ln1: Norm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  /** Normalises what the heads output, all of them together, before `out`. */
  readonly attentionNorm?: Norm;
  /** Makes what is added to attention's logits, of how far apart two patches lie. */
  readonly relative?: RelativePositions;
  readonly out: Required<Linear>;
  /** Layer scale: what attention adds is multiplied by it, [width]. */
  readonly attentionScale?: TensorRef;
  readonly ln2: Norm;
  /** A second normalisation, directly behind `ln2`. */
  readonly mlpNorm?: Norm;
  /** With a gate the MLP is fc2(activation(gate x) ⊙ fc1 x). */
  readonly gate?: Linear;
  readonly fc1: Linear;
  /** Normalises what `fc2` reads. */
  readonly hiddenNorm?: Norm;
  readonly fc2: Linear;
  /** Layer scale of the MLP's addition. */
  readonly mlpScale?: TensorRef;
  /** `ln1` and `ln2` normalise what attention and MLP output, not what they read. */
  readonly postNorm?: boolean;
}

/** An MLP, fc2(ReLU(fc1 x)), from the two coordinates of a patch relative to another's to a number a head. */
export interface RelativePositions {
  readonly fc1: Linear;
  readonly fc2: Linear;
}

/** What makes tokens of pixels. */
export type Stem =
  | { readonly kind: "patches"; readonly convolution: Linear }
  /** A few convolutions with batch normalisation and GELU between them. */
  | { readonly kind: "convolutions"; readonly layers: readonly ConvolutionLayer[] }
  /** ViTamin's: two stages of inverted bottlenecks. */
  | { readonly kind: "inverted-bottlenecks"; readonly weights: InvertedBottlenecks };

/** One convolution whose stride is its kernel's size; without a norm nothing follows. */
export interface ConvolutionLayer {
  readonly convolution: Linear;
  readonly size: number;
  readonly batchNorm?: Norm & { readonly mean: TensorRef; readonly variance: TensorRef };
}

/** ViTamin's first two stages. */
export interface InvertedBottlenecks {
  readonly first: Linear;
  readonly firstNorm: Norm;
  readonly second: Linear;
  readonly blocks: readonly InvertedBottleneck[];
  readonly lastNorm: Norm;
  readonly last: Linear;
}

/** A block: expand, depthwise convolution, shrink, beside a shortcut. */
export interface InvertedBottleneck {
  readonly stride: 1 | 2;
  readonly norm: Norm;
  readonly expand: Linear;
  readonly depthwise: Linear;
  readonly channels: number;
  readonly shrink: Linear;
  readonly shortcut?: Linear;
}

/** Attention pooling: one learnt query reads every token; `fc2(activation(fc1(norm a)))` is added where there is an MLP. */
export interface Pool {
  /** [1, …, width of the pool] */
  readonly latent: TensorRef;
  readonly latentNorm?: Norm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Required<Linear>;
  readonly mlp?: { readonly norm: Norm; readonly fc1: Linear; readonly fc2: Linear };
  /** Normalises what was pooled (CoCa). */
  readonly lastNorm?: Norm;
}

/** The image tower's tensors. */
export interface VisionWeights {
  readonly classEmbedding?: TensorRef;
  readonly stem: Stem;
  /** [N, W], or [grid², W] where the CLS token has none; with any axes of length one before. */
  readonly positionalEmbedding?: TensorRef;
  readonly lnPre?: Norm;
  readonly blocks: readonly Block[];
  readonly lnPost: Norm;
  readonly pool?: Pool;
  /** Absent where the last width is D already. */
  readonly projection?: Projection;
}

/** A CLIP's text tower's tensors. */
export interface TextWeights {
  readonly tokenEmbedding: TensorRef;
  readonly positionalEmbedding: TensorRef;
  /** The class token that is put behind every text, [width]; its position is the table's last row. */
  readonly classEmbedding?: TensorRef;
  readonly blocks: readonly Block[];
  readonly lnFinal: Norm;
  readonly projection?: Projection;
}

/** A normalisation, or without a bias one that divides by the root mean square and takes no mean off. */
export type LanguageNorm = Pick<Norm, "weight"> & Partial<Norm>;

/** One block of a language model's encoder. */
export interface LanguageBlock extends Pick<Block, "query" | "key" | "value" | "gate" | "fc1" | "fc2"> {
  readonly ln1: LanguageNorm;
  readonly out: Linear;
  readonly ln2: LanguageNorm;
}

/**
 * The tensors of a language model's encoder; where it has `lnEmbedding`, `ln1` and `ln2` of its blocks normalise x + attention(x)
 * and x + mlp(x).
 */
export interface LanguageWeights {
  readonly tokenEmbedding: TensorRef;
  /** Absent where positions are sines or relative. */
  readonly positionalEmbedding?: TensorRef;
  /** [buckets, heads]: added to the logits of tokens so far apart. */
  readonly relative?: TensorRef;
  /** Of the first token type, [1, width]. */
  readonly typeEmbedding?: TensorRef;
  readonly lnEmbedding?: Norm;
  readonly blocks: readonly LanguageBlock[];
  readonly pooler?: Linear;
  /** Normalises every token behind the last layer. */
  readonly lnLast?: LanguageNorm;
  /** Linear maps in turn into the joint space. */
  readonly projections: readonly Linear[];
}

/** A CLIP's tensors by role, the same whichever format they came in. */
export interface ClipWeights {
  /** One of the files that its tensors lie in; all lie in one folder. */
  readonly file: string;
  readonly vision: VisionWeights;
  /** Absent where the text tower is not computed here. */
  readonly text?: TextWeights | LanguageWeights;
  /** Absent where there are no texts to compare with. */
  readonly logitScale?: TensorRef;
  /** Of models that were trained with a sigmoid: added to scaled cosines. */
  readonly logitBias?: TensorRef;
}

export type Shape = readonly number[];
/** Looks up a tensor by name and checks its shape. */
export interface Take {
  (name: string, shape: Shape): TensorRef;
  /** Whether there is such a tensor. */
  has(name: string): boolean;
  /** The shape of a tensor, of whatever size. */
  shape(name: string): Shape | undefined;
}

export const norm = (take: Take, name: string, width: number): Norm => ({
  weight: take(`${name}.weight`, [width]),
  bias: take(`${name}.bias`, [width]),
});

export const linear = (take: Take, name: string, outputs: number, inputs: number): Required<Linear> => ({
  weight: take(`${name}.weight`, [outputs, inputs]),
  bias: take(`${name}.bias`, [outputs]),
});

/** A linear map or convolution, with its bias if it has one. */
export const perhapsBiased = (take: Take, name: string, shape: readonly [number, ...number[]]): Linear => ({
  weight: take(`${name}.weight`, shape),
  ...(take.has(`${name}.bias`) && { bias: take(`${name}.bias`, [shape[0]]) }),
});

/**
 * Query, key and value as parts of one tensor along its first axis: each part is contiguous.
 * @param bias the tensor of their biases, if they have any
 */
export function parts(
  take: Take,
  weight: string,
  bias: string | undefined,
  count: number,
  width: number,
): Linear[] {
  const all = take(weight, [count * width, width]);
  const biases = bias === undefined ? undefined : take(bias, [count * width]);
  return Array.from({ length: count }, (_, index) => ({
    weight: rows(all, index * width, width),
    ...(biases && { bias: rows(biases, index * width, width) }),
  }));
}

/** Rows `start … start+count` along the first axis, as a reference into the same bytes. */
export function rows(tensor: TensorRef, start: number, count: number): TensorRef {
  const [, ...rest] = tensor.shape;
  const rowBytes = rest.reduce((product, size) => product * size, DTYPE_BYTES[tensor.dtype]);
  return {
    ...tensor,
    name: `${tensor.name}[${start}:${start + count}]`,
    shape: [count, ...rest],
    offset: tensor.offset + start * rowBytes,
  };
}
