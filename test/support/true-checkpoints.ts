import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RandomShape } from "./checkpoint-layouts.ts";
import { type RandomStorage, writeRandomCheckpoint } from "./random-checkpoint.ts";
import { writeSafetensors } from "./safetensors.ts";

const text = { width: 512, heads: 8, layers: 12, vocabSize: 49408 };
const base = { imageSize: 224, width: 768, layers: 12, headDim: 64, embedDim: 512, text };
const large = {
  ...{ imageSize: 224, patchSize: 14, width: 1024, layers: 24, headDim: 64, embedDim: 768 },
  text: { width: 768, heads: 12, layers: 12, vocabSize: 49408 },
};

/** True shapes of well-known checkpoints. */
export const SHAPES = {
  "ViT-B-32": { ...base, patchSize: 32 },
  "ViT-B-16": { ...base, patchSize: 16 },
  "ViT-L-14": large,
  "ViT-L-14-336": { ...large, imageSize: 336 },
  "ViT-H-14": {
    ...{ imageSize: 224, patchSize: 14, width: 1280, layers: 32, headDim: 80, embedDim: 1024 },
    text: { width: 1024, heads: 16, layers: 24, vocabSize: 49408 },
  },
} as const satisfies Record<string, RandomShape>;

/** A repository on the hub, as far as random weights can stand for it. */
export interface TrueCheckpoint extends RandomStorage {
  readonly name: string;
  readonly shape: keyof typeof SHAPES;
  /** timm's repositories hold a file with timm's own names beside OpenCLIP's. */
  readonly timm?: boolean;
}

const openai = { activation: "quick_gelu", timm: true } as const;

/** The six of the paper, then other layouts, a 336-pixel model and a ViT-H. */
export const TRUE_CHECKPOINTS: readonly TrueCheckpoint[] = [
  { name: "ViT-B-32/openai", shape: "ViT-B-32", ...openai },
  { name: "ViT-B-32/datacomp_m_s128m_b4k", shape: "ViT-B-32" },
  { name: "ViT-B-16/openai", shape: "ViT-B-16", ...openai },
  { name: "ViT-B-16/laion2b_s34b_b88k", shape: "ViT-B-16" },
  { name: "ViT-L-14/openai", shape: "ViT-L-14", ...openai },
  { name: "ViT-L-14/laion2b_s32b_b82k", shape: "ViT-L-14" },
  {
    name: "openai/clip-vit-base-patch32",
    shape: "ViT-B-32",
    layout: "transformers",
    activation: "quick_gelu",
  },
  {
    name: "openai/clip-vit-large-patch14-336",
    shape: "ViT-L-14-336",
    layout: "transformers",
    dtype: "F16",
    activation: "quick_gelu",
  },
  { name: "ViT-H-14/laion2b_s32b_b79k", shape: "ViT-H-14", dtype: "F16" },
];

/** Writes random weights in the files of one of {@link TRUE_CHECKPOINTS}, without a tokenizer. */
export async function writeTrueCheckpoint(
  folder: string,
  { shape, timm, ...storage }: TrueCheckpoint,
): Promise<void> {
  await writeRandomCheckpoint(folder, SHAPES[shape], storage);
  if (!timm) return;
  const names = new Map([
    ["blocks.0.attn.qkv.weight", { dtype: "F32", shape: [1], bytes: new Uint8Array(4) }],
  ]);
  writeSafetensors(join(folder, "model.safetensors"), names);
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ architecture: "vit", pretrained_cfg: { tag: "openai" } }),
  );
}
