import { ClipInterpretError } from "../support/errors.ts";
import { type ModelConfig, readsTexts } from "./model-config.ts";
import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";
import type { TimmTower } from "./timm-tower.ts";
import type { WeightTensors } from "./weight-files.ts";
import { openClipWeights } from "./weights-open-clip.ts";
import { transformersWeights } from "./weights-transformers.ts";

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

/** The text tower's tensors. */
export interface TextWeights {
  readonly tokenEmbedding: TensorRef;
  readonly positionalEmbedding: TensorRef;
  readonly blocks: readonly Block[];
  readonly lnFinal: Norm;
  readonly projection?: Projection;
}

/** A CLIP's tensors by role, the same whichever format they came in. */
export interface ClipWeights {
  /** One of the files that its tensors lie in; all lie in one folder. */
  readonly file: string;
  readonly vision: VisionWeights;
  /** Absent where the text tower is not computed here. */
  readonly text?: TextWeights;
  /** Absent where there are no texts to compare with. */
  readonly logitScale?: TensorRef;
  /** Of models that were trained with a sigmoid: added to scaled cosines. */
  readonly logitBias?: TensorRef;
}

type Shape = readonly number[];
/** Looks up a tensor by name and checks its shape. */
export interface Take {
  (name: string, shape: Shape): TensorRef;
  /** Whether there is such a tensor. */
  has(name: string): boolean;
  /** The shape of a tensor, of whatever size. */
  shape(name: string): Shape | undefined;
}

/** Which project's tensor names a checkpoint uses. */
export type Layout = "open_clip" | "transformers" | "timm" | "unknown";

/** Tells the layout from the names. timm's are recognised only to be explained. */
export function detectLayout(tensors: ReadonlyMap<string, TensorRef>): Layout {
  if (tensors.has("visual.class_embedding") || tensors.has("visual.trunk.blocks.0.norm1.weight"))
    return "open_clip";
  if (tensors.has("vision_model.embeddings.patch_embedding.weight")) return "transformers";
  if (tensors.has("blocks.0.attn.qkv.weight")) return "timm";
  return "unknown";
}

/**
 * Finds every tensor's role and checks every shape against the config.
 * @param tower the facts of an OpenCLIP model's timm tower, if it has one
 * @throws `CHECKPOINT_MISMATCH` naming the tensor, the shape or type it has and what it should have
 */
export function assembleWeights(
  { tensors, prefix, leftOut }: WeightTensors,
  layout: "open_clip" | "transformers",
  config: ModelConfig,
  tower?: TimmTower,
): ClipWeights {
  const lookUp = (name: string, shape: Shape): TensorRef => {
    const tensor = tensors.get(name);
    const type = leftOut.get(`${prefix}${name}`);
    if (!tensor && type) {
      const readable = Object.keys(DTYPE_BYTES).join(", ");
      throw new ClipInterpretError(
        "CHECKPOINT_MISMATCH",
        `tensor ${prefix}${name} is stored as ${type}; ${readable} are read here`,
        { hint: "Convert the weights to float32 or float16 with the library that they come from." },
      );
    }
    if (!tensor) {
      throw new ClipInterpretError(
        "CHECKPOINT_MISMATCH",
        `the weights have no tensor ${name} [${shape.join(", ")}]`,
      );
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      const has = `[${tensor.shape.join(", ")}]`;
      const wanted = `[${shape.join(", ")}]`;
      throw new ClipInterpretError(
        "CHECKPOINT_MISMATCH",
        `tensor ${name} is ${has}; the config says ${wanted}`,
      );
    }
    return tensor;
  };
  const take: Take = Object.assign(lookUp, {
    has: (name: string) => tensors.has(name),
    shape: (name: string) => tensors.get(name)?.shape,
  });
  const scalar = (name: string) => take(name, tensors.get(name)?.shape.length === 1 ? [1] : []);
  const towers =
    layout === "transformers" ? transformersWeights(take, config) : openClipWeights(take, config, tower);
  return {
    ...towers,
    file: towers.vision.lnPost.weight.file,
    ...((readsTexts(config.text) || take.has("logit_scale")) && { logitScale: scalar("logit_scale") }),
    ...(take.has("logit_bias") && { logitBias: scalar("logit_bias") }),
  };
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

/** Every tensor of some weights, or of a part of them. */
export function tensorsIn(part: unknown): TensorRef[] {
  if (typeof part !== "object" || part === null) return [];
  return isTensor(part) ? [part] : Object.values(part).flatMap(tensorsIn);
}

const isTensor = (part: object): part is TensorRef => "file" in part && "offset" in part && "dtype" in part;
