import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { layOut, safetensorsHeader } from "./safetensors.ts";

/** The shape of a ViT checkpoint to make up. */
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

const text = { width: 512, heads: 8, layers: 12, vocabSize: 49408 };
/** True shapes of well-known checkpoints. */
export const SHAPES = {
  "ViT-B-32": { imageSize: 224, patchSize: 32, width: 768, layers: 12, headDim: 64, embedDim: 512, text },
  "ViT-B-16": { imageSize: 224, patchSize: 16, width: 768, layers: 12, headDim: 64, embedDim: 512, text },
} as const satisfies Record<string, RandomShape>;

/**
 * Writes a checkpoint with random weights in OpenCLIP's file layout: real in everything but what it knows.
 * Activations stay in a trained model's range (weights uniform with variance 1/fan-in). Deterministic.
 */
export async function writeRandomCheckpoint(folder: string, shape: RandomShape): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tensors = tensorShapes(shape);
  const sized = tensors.map(
    ([name, dims]) => [name, { dtype: "F32", shape: dims, length: 4 * product(dims) }] as const,
  );
  const file = await open(join(folder, "open_clip_model.safetensors"), "w");
  try {
    await file.write(safetensorsHeader(layOut(sized)));
    for (const [name, dims] of tensors) await file.write(Buffer.from(randomTensor(name, dims).buffer));
  } finally {
    await file.close();
  }
  const config = {
    model_cfg: {
      embed_dim: shape.embedDim,
      vision_cfg: {
        image_size: shape.imageSize,
        layers: shape.layers,
        width: shape.width,
        head_width: shape.headDim,
        patch_size: shape.patchSize,
      },
      text_cfg: {
        context_length: 77,
        vocab_size: shape.text.vocabSize,
        width: shape.text.width,
        heads: shape.text.heads,
        layers: shape.text.layers,
      },
    },
    preprocess_cfg: {},
  };
  await writeFile(join(folder, "open_clip_config.json"), JSON.stringify(config, undefined, 2));
}

const product = (dims: readonly number[]) => dims.reduce((total, size) => total * size, 1);

function tensorShapes({
  imageSize,
  patchSize,
  width,
  layers,
  embedDim,
  text,
}: RandomShape): [string, number[]][] {
  const tokens = Math.floor(imageSize / patchSize) ** 2 + 1;
  const norm = (name: string, size: number): [string, number[]][] => [
    [`${name}.weight`, [size]],
    [`${name}.bias`, [size]],
  ];
  const blocks = (prefix: string, count: number, size: number) =>
    Array.from({ length: count }, (_, layer): [string, number[]][] => {
      const name = `${prefix}transformer.resblocks.${layer}`;
      return [
        ...norm(`${name}.ln_1`, size),
        [`${name}.attn.in_proj_weight`, [3 * size, size]],
        [`${name}.attn.in_proj_bias`, [3 * size]],
        [`${name}.attn.out_proj.weight`, [size, size]],
        [`${name}.attn.out_proj.bias`, [size]],
        ...norm(`${name}.ln_2`, size),
        [`${name}.mlp.c_fc.weight`, [4 * size, size]],
        [`${name}.mlp.c_fc.bias`, [4 * size]],
        [`${name}.mlp.c_proj.weight`, [size, 4 * size]],
        [`${name}.mlp.c_proj.bias`, [size]],
      ];
    }).flat();
  return [
    ["logit_scale", []],
    ["visual.class_embedding", [width]],
    ["visual.conv1.weight", [width, 3, patchSize, patchSize]],
    ["visual.positional_embedding", [tokens, width]],
    ...norm("visual.ln_pre", width),
    ...blocks("visual.", layers, width),
    ...norm("visual.ln_post", width),
    ["visual.proj", [width, embedDim]],
    ["token_embedding.weight", [text.vocabSize, text.width]],
    ["positional_embedding", [77, text.width]],
    ...blocks("", text.layers, text.width),
    ...norm("ln_final", text.width),
    ["text_projection", [text.width, embedDim]],
  ];
}

function randomTensor(name: string, dims: readonly number[]): Float32Array {
  const fanIn = dims.length > 1 ? product(dims.slice(1)) : 100;
  const scale = Math.sqrt(12 / fanIn);
  const centre = /ln_\w+\.weight$/.test(name) ? 1 : 0;
  let state = [...name].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193), 0x811c9dc5);
  return Float32Array.from({ length: product(dims) }, () => {
    // xorshift32: fast, and good enough for weights that mean nothing.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return centre + scale * ((state >>> 0) / 2 ** 32 - 0.5);
  });
}
