import { ClipInterpretError } from "../support/errors.ts";
import type { ModelConfig, TowerConfig } from "./model-config.ts";
import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";
import type { WeightTensors } from "./weight-files.ts";

/** A linear map in PyTorch's layout: weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: TensorRef;
  readonly bias: TensorRef;
}

/** A layer normalisation's γ and β, both [width]. */
export interface Norm {
  readonly weight: TensorRef;
  readonly bias: TensorRef;
}

/** The final projection into the joint space: [width, D], or its transpose as transformers stores it. */
export interface Projection {
  readonly weight: TensorRef;
  readonly transposed: boolean;
}

/** One residual block: x + out(attention(ln1 x)), then x + fc2(activation(fc1(ln2 x))). */
export interface Block {
  readonly ln1: Norm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
  readonly ln2: Norm;
  readonly fc1: Linear;
  readonly fc2: Linear;
}

/** A CLIP ViT's tensors by role, the same whichever format they came in. */
export interface ClipWeights {
  readonly vision: {
    readonly classEmbedding: TensorRef;
    readonly patchEmbedding: TensorRef;
    readonly positionalEmbedding: TensorRef;
    readonly lnPre: Norm;
    readonly blocks: readonly Block[];
    readonly lnPost: Norm;
    readonly projection: Projection;
  };
  readonly text: {
    readonly tokenEmbedding: TensorRef;
    readonly positionalEmbedding: TensorRef;
    readonly blocks: readonly Block[];
    readonly lnFinal: Norm;
    readonly projection: Projection;
  };
  readonly logitScale: TensorRef;
}

type Shape = readonly number[];
/** Looks up a tensor by name and checks its shape. */
type Take = (name: string, shape: Shape) => TensorRef;

/** Which project's tensor names a checkpoint uses. */
export type Layout = "open_clip" | "transformers" | "timm" | "unknown";

/** Tells the layout from the names. timm's are recognised only to be explained. */
export function detectLayout(tensors: ReadonlyMap<string, TensorRef>): Layout {
  if (tensors.has("visual.class_embedding")) return "open_clip";
  if (tensors.has("vision_model.embeddings.class_embedding")) return "transformers";
  if (tensors.has("blocks.0.attn.qkv.weight")) return "timm";
  return "unknown";
}

/**
 * Finds every tensor's role and checks every shape against the config.
 * @throws `CHECKPOINT_MISMATCH` naming the tensor, the shape or type it has and what it should have
 */
export function assembleWeights(
  { tensors, prefix, leftOut }: WeightTensors,
  layout: "open_clip" | "transformers",
  config: ModelConfig,
): ClipWeights {
  const take: Take = (name, shape) => {
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
  const logitScale = take("logit_scale", tensors.get("logit_scale")?.shape.length === 1 ? [1] : []);
  if (layout === "transformers") return { ...transformers(take, config), logitScale };
  // OpenCLIP's `custom_text` models keep their text tower under `text.`.
  const textPrefix = tensors.has("text.token_embedding.weight") ? "text." : "";
  return { ...openClip(take, config, textPrefix), logitScale };
}

const norm = (take: Take, name: string, width: number): Norm => ({
  weight: take(`${name}.weight`, [width]),
  bias: take(`${name}.bias`, [width]),
});
const linear = (take: Take, name: string, outputs: number, inputs: number): Linear => ({
  weight: take(`${name}.weight`, [outputs, inputs]),
  bias: take(`${name}.bias`, [outputs]),
});

function openClip(
  take: Take,
  { vision, text, embedDim }: ModelConfig,
  textPrefix: string,
): Omit<ClipWeights, "logitScale"> {
  const block = (prefix: string, { width, mlpWidth }: TowerConfig): Block => {
    const weight = take(`${prefix}.attn.in_proj_weight`, [3 * width, width]);
    const bias = take(`${prefix}.attn.in_proj_bias`, [3 * width]);
    // Query, key and value are thirds of one tensor along its first axis, so each third is contiguous.
    const third = (index: number): Linear => ({
      weight: rows(weight, index * width, width),
      bias: rows(bias, index * width, width),
    });
    return {
      ln1: norm(take, `${prefix}.ln_1`, width),
      query: third(0),
      key: third(1),
      value: third(2),
      out: linear(take, `${prefix}.attn.out_proj`, width, width),
      ln2: norm(take, `${prefix}.ln_2`, width),
      fc1: linear(take, `${prefix}.mlp.c_fc`, mlpWidth, width),
      fc2: linear(take, `${prefix}.mlp.c_proj`, width, mlpWidth),
    };
  };
  const blocks = (prefix: string, tower: TowerConfig) =>
    Array.from({ length: tower.layers }, (_, layer) =>
      block(`${prefix}transformer.resblocks.${layer}`, tower),
    );
  const { patchSize } = vision;
  return {
    vision: {
      classEmbedding: take("visual.class_embedding", [vision.width]),
      patchEmbedding: take("visual.conv1.weight", [vision.width, 3, patchSize, patchSize]),
      positionalEmbedding: take("visual.positional_embedding", [vision.tokens, vision.width]),
      lnPre: norm(take, "visual.ln_pre", vision.width),
      blocks: blocks("visual.", vision),
      lnPost: norm(take, "visual.ln_post", vision.width),
      projection: { weight: take("visual.proj", [vision.width, embedDim]), transposed: false },
    },
    text: {
      tokenEmbedding: take(`${textPrefix}token_embedding.weight`, [text.vocabSize, text.width]),
      positionalEmbedding: take(`${textPrefix}positional_embedding`, [text.contextLength, text.width]),
      blocks: blocks(textPrefix, text),
      lnFinal: norm(take, `${textPrefix}ln_final`, text.width),
      projection: { weight: take(`${textPrefix}text_projection`, [text.width, embedDim]), transposed: false },
    },
  };
}

function transformers(take: Take, { vision, text, embedDim }: ModelConfig): Omit<ClipWeights, "logitScale"> {
  const blocks = (prefix: string, { layers, width, mlpWidth }: TowerConfig) =>
    Array.from({ length: layers }, (_, layer): Block => {
      const name = `${prefix}.encoder.layers.${layer}`;
      return {
        ln1: norm(take, `${name}.layer_norm1`, width),
        query: linear(take, `${name}.self_attn.q_proj`, width, width),
        key: linear(take, `${name}.self_attn.k_proj`, width, width),
        value: linear(take, `${name}.self_attn.v_proj`, width, width),
        out: linear(take, `${name}.self_attn.out_proj`, width, width),
        ln2: norm(take, `${name}.layer_norm2`, width),
        fc1: linear(take, `${name}.mlp.fc1`, mlpWidth, width),
        fc2: linear(take, `${name}.mlp.fc2`, width, mlpWidth),
      };
    });
  const { patchSize } = vision;
  const image = "vision_model.embeddings";
  return {
    vision: {
      classEmbedding: take(`${image}.class_embedding`, [vision.width]),
      patchEmbedding: take(`${image}.patch_embedding.weight`, [vision.width, 3, patchSize, patchSize]),
      positionalEmbedding: take(`${image}.position_embedding.weight`, [vision.tokens, vision.width]),
      // Not a slip of ours: transformers' own name has the letters swapped.
      lnPre: norm(take, "vision_model.pre_layrnorm", vision.width),
      blocks: blocks("vision_model", vision),
      lnPost: norm(take, "vision_model.post_layernorm", vision.width),
      projection: { weight: take("visual_projection.weight", [embedDim, vision.width]), transposed: true },
    },
    text: {
      tokenEmbedding: take("text_model.embeddings.token_embedding.weight", [text.vocabSize, text.width]),
      positionalEmbedding: take("text_model.embeddings.position_embedding.weight", [
        text.contextLength,
        text.width,
      ]),
      blocks: blocks("text_model", text),
      lnFinal: norm(take, "text_model.final_layer_norm", text.width),
      projection: { weight: take("text_projection.weight", [embedDim, text.width]), transposed: true },
    },
  };
}

/** Rows `start … start+count` along the first axis, as a reference into the same bytes. */
function rows(tensor: TensorRef, start: number, count: number): TensorRef {
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
