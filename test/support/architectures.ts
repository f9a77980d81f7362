/** OpenCLIP's architectures as facts: configs, tensors, and random weights for them in other sizes. */
import { readFileSync, writeFileSync } from "node:fs";
import type { ModelConfig } from "../../src/checkpoint/model-config.ts";
import type { TensorRef } from "../../src/checkpoint/safetensors.ts";
import type { TimmTower } from "../../src/checkpoint/timm-tower.ts";
import type { ClipWeights } from "../../src/checkpoint/weight-roles.ts";
import { openClipWeights } from "../../src/checkpoint/weights-open-clip.ts";
import { Random } from "../../src/math/random.ts";
import { goldenPath } from "./goldens.ts";

export const openClipFile = (path: string) =>
  JSON.parse(readFileSync(goldenPath(`open_clip/${path}`), "utf8"));
export const configs: Record<string, Record<string, unknown>> = openClipFile("configs.json");
const { models, towers }: { models: Record<string, Towers>; towers: Record<string, Record<string, string>> } =
  openClipFile("tensors.json");
interface Towers {
  readonly visual: string;
  readonly text?: string;
}
/** A layer's number in a name. */
const LAYER = /((?:res)?blocks|encoder\.layer|transformer\.layers|transformer\.block)\.0\./;
/** What the first layer alone has, for all of them. */
const FIRST = /relative_attention_bias/;
/** What no forward pass reads. */
export const UNREAD = /num_batches_tracked|attn_mask/;

/** Whether OpenCLIP keeps its text tower under a name of its own. */
const isCustom = ({ custom_text, text_cfg }: Record<string, unknown>): boolean =>
  custom_text === true || "hf_model_name" in (text_cfg as object);

/** The tensors of an architecture under the names and in the shapes that its library gives them, without numbers. */
export function tensorsOf(name: string, layers: { visual: number; text: number }): Map<string, TensorRef> {
  const found = new Map<string, TensorRef>();
  const add = (tensor: string, shape: readonly number[]) =>
    found.set(tensor, { name: tensor, file: "/none", offset: 0, dtype: "F32", shape: [...shape] });
  const custom = isCustom(configs[name]) ? "text." : "";
  for (const [part, prefix] of [
    ["visual", "visual."],
    ["text", custom],
  ] as const) {
    const tower = layers[part] > 0 ? models[name][part] : undefined;
    for (const [tensor, shape] of Object.entries(tower ? towers[tower] : {})) {
      const sizes = shape === "" ? [] : shape.split("x").map(Number);
      const count = LAYER.test(tensor) && !FIRST.test(tensor) ? layers[part] : 1;
      for (let layer = 0; layer < count; layer++)
        add(`${prefix}${tensor}`.replace(LAYER, `$1.${layer}.`), sizes);
    }
  }
  add("logit_scale", []);
  return found;
}

/** Sizes that an architecture may be made in. */
export interface Sizes {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly patchSize: number;
  readonly grid: number;
  readonly embedDim: number;
  readonly poolHeads: number;
  readonly poolMlpWidth: number;
  readonly stemWidths: [number, number, number];
}

const SMALL: Sizes = {
  ...{ width: 16, layers: 2, heads: 2, mlpWidth: 24, patchSize: 4, grid: 3, embedDim: 12 },
  ...{ poolHeads: 4, poolMlpWidth: 20, stemWidths: [4, 4, 8] },
};

/** An architecture made in other sizes. */
export interface Resized {
  readonly config: ModelConfig;
  readonly tower?: TimmTower;
}

/** The same kind of model in other sizes: by default two narrow layers and nine patches. */
export function resize(config: ModelConfig, tower: TimmTower | undefined, sizes: Sizes = SMALL): Resized {
  const { vision } = config;
  const { width, layers, heads, mlpWidth, grid, poolHeads, poolMlpWidth } = sizes;
  // A stem of convolutions makes tokens of 16 pixels, whatever is asked for.
  const patchSize = tower?.stem ? 16 : sizes.patchSize;
  const size = { width, layers, heads, mlpWidth, patchSize, imageSize: grid * patchSize };
  const { pool } = vision;
  return {
    config: {
      ...config,
      text: { unsupported: "it is not looked at here" },
      embedDim: config.embedDim === vision.width ? width : sizes.embedDim,
      vision: {
        ...{ ...vision, ...size, headDim: width / heads, grid, tokens: grid * grid + vision.prefix },
        ...(pool && {
          pool: { heads: poolHeads, ...(pool.mlpWidth !== undefined && { mlpWidth: poolMlpWidth }) },
        }),
      },
    },
    ...(tower && {
      tower: {
        ...{ ...tower, ...size },
        ...(tower.poolHeads && { poolHeads, poolMlpWidth }),
        ...(tower.stemWidths && { stemWidths: sizes.stemWidths, stemDepths: [1, 2] as [number, number] }),
      },
    }),
  };
}

/** Random weights for an architecture made in other sizes, written to a file. */
export function randomWeights(
  name: string,
  { config, tower }: Resized,
  file: string,
  seed: number,
): ClipWeights {
  const known = tensorsOf(name, { visual: config.vision.layers, text: 0 });
  const random = new Random(seed);
  const parts: Float32Array[] = [];
  let offset = 0;
  const lookUp = (tensor: string, shape: readonly number[]): TensorRef => {
    const count = shape.reduce((all, one) => all * one, 1);
    const middle = shape.length <= 1 && !tensor.endsWith("bias") ? 1 : 0;
    const spread = shape.length > 1 ? (count / (shape[0] ?? 1)) ** -0.5 : 0.3;
    parts.push(Float32Array.from({ length: count }, () => middle + spread * random.between(-1.7, 1.7)));
    const start = offset;
    offset += 4 * count;
    return { name: tensor, file, offset: start, dtype: "F32", shape: [...shape] };
  };
  const take = Object.assign(lookUp, {
    has: (tensor: string) => known.has(tensor),
    shape: (tensor: string) => known.get(tensor)?.shape,
  });
  const { vision } = openClipWeights(take, config, tower);
  writeFileSync(file, Buffer.concat(parts.map(({ buffer }) => new Uint8Array(buffer as ArrayBuffer))));
  return { vision, file };
}
