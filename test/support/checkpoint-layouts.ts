import type { Activation } from "../../src/checkpoint/model-config.ts";

/** The shape of a ViT checkpoint to make up. MLPs are four times as wide as their tower. */
export interface RandomShape {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly width: number;
  readonly layers: number;
  readonly headDim: number;
  readonly embedDim: number;
  readonly text: {
    readonly width: number;
    readonly heads: number;
    readonly layers: number;
    readonly vocabSize: number;
  };
}

/** A tensor's name and shape. */
export type NamedShape = readonly [name: string, shape: readonly number[]];

/** One project's way to store a CLIP: its files' names, its tensors' names, its configs. */
export interface CheckpointLayout {
  readonly weights: string;
  tensors(shape: RandomShape): NamedShape[];
  /** Config files by name. */
  configs(shape: RandomShape, activation: Activation): Record<string, unknown>;
}

const CONTEXT = 77;
const tokensOf = ({ imageSize, patchSize }: RandomShape) => Math.floor(imageSize / patchSize) ** 2 + 1;
const norm = (name: string, size: number): NamedShape[] => [
  [`${name}.weight`, [size]],
  [`${name}.bias`, [size]],
];
const linear = (name: string, outputs: number, inputs: number): NamedShape[] => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];
const repeat = (count: number, block: (layer: number) => NamedShape[]) =>
  Array.from({ length: count }, (_, layer) => block(layer)).flat();

function openClipBlocks(prefix: string, count: number, size: number): NamedShape[] {
  return repeat(count, (layer) => {
    const name = `${prefix}transformer.resblocks.${layer}`;
    return [
      ...norm(`${name}.ln_1`, size),
      [`${name}.attn.in_proj_weight`, [3 * size, size]],
      [`${name}.attn.in_proj_bias`, [3 * size]],
      ...linear(`${name}.attn.out_proj`, size, size),
      ...norm(`${name}.ln_2`, size),
      ...linear(`${name}.mlp.c_fc`, 4 * size, size),
      ...linear(`${name}.mlp.c_proj`, size, 4 * size),
    ];
  });
}

const openClip: CheckpointLayout = {
  weights: "open_clip_model.safetensors",
  tensors: (shape) => {
    const { patchSize, width, layers, embedDim, text } = shape;
    return [
      ["logit_scale", []],
      ["visual.class_embedding", [width]],
      ["visual.conv1.weight", [width, 3, patchSize, patchSize]],
      ["visual.positional_embedding", [tokensOf(shape), width]],
      ...norm("visual.ln_pre", width),
      ...openClipBlocks("visual.", layers, width),
      ...norm("visual.ln_post", width),
      ["visual.proj", [width, embedDim]],
      ["token_embedding.weight", [text.vocabSize, text.width]],
      ["positional_embedding", [CONTEXT, text.width]],
      ...openClipBlocks("", text.layers, text.width),
      ...norm("ln_final", text.width),
      ["text_projection", [text.width, embedDim]],
    ];
  },
  configs: ({ imageSize, patchSize, width, layers, headDim, embedDim, text }, activation) => ({
    "open_clip_config.json": {
      model_cfg: {
        embed_dim: embedDim,
        ...(activation === "quick_gelu" && { quick_gelu: true }),
        vision_cfg: { image_size: imageSize, layers, width, head_width: headDim, patch_size: patchSize },
        text_cfg: {
          context_length: CONTEXT,
          vocab_size: text.vocabSize,
          width: text.width,
          heads: text.heads,
          layers: text.layers,
        },
      },
      preprocess_cfg: {},
    },
  }),
};

function transformersBlocks(prefix: string, count: number, size: number): NamedShape[] {
  return repeat(count, (layer) => {
    const name = `${prefix}.encoder.layers.${layer}`;
    return [
      ...norm(`${name}.layer_norm1`, size),
      ...["q", "k", "v", "out"].flatMap((part) => linear(`${name}.self_attn.${part}_proj`, size, size)),
      ...norm(`${name}.layer_norm2`, size),
      ...linear(`${name}.mlp.fc1`, 4 * size, size),
      ...linear(`${name}.mlp.fc2`, size, 4 * size),
    ];
  });
}

const transformers: CheckpointLayout = {
  weights: "model.safetensors",
  tensors: (shape) => {
    const { patchSize, width, layers, embedDim, text } = shape;
    return [
      ["logit_scale", []],
      ["vision_model.embeddings.class_embedding", [width]],
      ["vision_model.embeddings.patch_embedding.weight", [width, 3, patchSize, patchSize]],
      ["vision_model.embeddings.position_embedding.weight", [tokensOf(shape), width]],
      ...norm("vision_model.pre_layrnorm", width),
      ...transformersBlocks("vision_model", layers, width),
      ...norm("vision_model.post_layernorm", width),
      ["visual_projection.weight", [embedDim, width]],
      ["text_model.embeddings.token_embedding.weight", [text.vocabSize, text.width]],
      ["text_model.embeddings.position_embedding.weight", [CONTEXT, text.width]],
      ...transformersBlocks("text_model", text.layers, text.width),
      ...norm("text_model.final_layer_norm", text.width),
      ["text_projection.weight", [embedDim, text.width]],
    ];
  },
  configs: ({ imageSize, patchSize, width, layers, headDim, embedDim, text }, activation) => {
    const tower = (size: number, heads: number, count: number) => ({
      hidden_size: size,
      intermediate_size: 4 * size,
      num_attention_heads: heads,
      num_hidden_layers: count,
      hidden_act: activation,
    });
    return {
      "config.json": {
        model_type: "clip",
        projection_dim: embedDim,
        vision_config: {
          ...tower(width, width / headDim, layers),
          image_size: imageSize,
          patch_size: patchSize,
        },
        text_config: { ...tower(text.width, text.heads, text.layers), vocab_size: text.vocabSize },
      },
      "preprocessor_config.json": { size: imageSize, resample: 3 },
    };
  },
};

/** Both layouts that real repositories use. */
export const CHECKPOINT_LAYOUTS = { open_clip: openClip, transformers } as const;
