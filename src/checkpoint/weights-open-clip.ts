import { type ModelConfig, readsTexts, type TextConfig, type TowerConfig } from "./model-config.ts";
import type { TimmTower } from "./timm-tower.ts";
import {
  type Block,
  type ClipWeights,
  linear,
  norm,
  type Pool,
  type Projection,
  parts,
  rows,
  type Take,
  type TextWeights,
  type VisionWeights,
} from "./weight-roles.ts";
import { languageWeights } from "./weights-language.ts";
import { timmVision } from "./weights-timm.ts";

/** Tensors under OpenCLIP's names. */
export function openClipWeights(
  take: Take,
  config: ModelConfig,
  tower: TimmTower | undefined,
): Pick<ClipWeights, "vision" | "text"> {
  const { text, embedDim } = config;
  return {
    vision: tower ? timmVision(take, config, tower) : vision(take, config),
    ...(readsTexts(text) && {
      text: text.language
        ? languageWeights(take, "open_clip", text, embedDim)
        : textWeights(take, text, embedDim),
    }),
  };
}

function vision(take: Take, { vision: tower, embedDim }: ModelConfig): VisionWeights {
  const { width, patchSize, tokens, pooling } = tower;
  const coca = pooling === "attention";
  // Behind an attention pool the last norm is the pool's own, and everything has D numbers.
  const last = coca ? embedDim : width;
  return {
    classEmbedding: take("visual.class_embedding", [width]),
    stem: {
      kind: "patches",
      convolution: { weight: take("visual.conv1.weight", [width, 3, patchSize, patchSize]) },
    },
    positionalEmbedding: take("visual.positional_embedding", [tokens, width]),
    ...(tower.lnPre && { lnPre: norm(take, "visual.ln_pre", width) }),
    blocks: blocks(take, "visual.", tower),
    lnPost: norm(take, coca ? "visual.attn_pool.ln_k" : "visual.ln_post", width),
    ...(coca && { pool: cocaPool(take, width, embedDim) }),
    projection: { weight: take("visual.proj", [last, embedDim]), transposed: false },
  };
}

/** CoCa's pool: of its queries the first alone becomes the embedding. */
function cocaPool(take: Take, width: number, embedDim: number): Pool {
  const name = "visual.attn_pool";
  const bias = take(`${name}.attn.in_proj_bias`, [3 * embedDim]);
  const biases = [0, 1, 2].map((index) => rows(bias, index * embedDim, embedDim));
  const fused = width === embedDim;
  const weights = fused
    ? parts(take, `${name}.attn.in_proj_weight`, undefined, 3, embedDim).map(({ weight }) => weight)
    : ["q", "k", "v"].map((part) =>
        take(`${name}.attn.${part}_proj_weight`, [embedDim, part === "q" ? embedDim : width]),
      );
  const [query, key, value] = weights.map((weight, index) => ({ weight, bias: biases[index] }));
  const queries = take.shape(`${name}.query`)?.[0] ?? 1;
  return {
    latent: rows(take(`${name}.query`, [queries, embedDim]), 0, 1),
    latentNorm: norm(take, `${name}.ln_q`, embedDim),
    ...{ query, key, value },
    out: linear(take, `${name}.attn.out_proj`, embedDim, embedDim),
    lastNorm: norm(take, "visual.ln_post", embedDim),
  };
}

function textWeights(take: Take, text: TextConfig, embedDim: number): TextWeights {
  // OpenCLIP's `custom_text` models keep their text tower under `text.`.
  const prefix = take.has("text.token_embedding.weight") ? "text." : "";
  const hasClass = text.pooling === "class";
  const positions = text.contextLength + (hasClass ? 1 : 0);
  return {
    tokenEmbedding: take(`${prefix}token_embedding.weight`, [text.vocabSize, text.width]),
    positionalEmbedding: take(`${prefix}positional_embedding`, [positions, text.width]),
    ...(hasClass && { classEmbedding: take(`${prefix}cls_emb`, [text.width]) }),
    blocks: blocks(take, prefix, text),
    lnFinal: norm(take, `${prefix}ln_final`, text.width),
    ...textProjection(take, `${prefix}text_projection`, text.width, embedDim),
  };
}

/** A parameter [width, D], a linear map with a bias, or nothing. */
function textProjection(
  take: Take,
  name: string,
  width: number,
  embedDim: number,
): { projection?: Projection } {
  if (take.has(`${name}.weight`))
    return { projection: { ...linear(take, name, embedDim, width), transposed: true } };
  if (width === embedDim && !take.has(name)) return {};
  return { projection: { weight: take(name, [width, embedDim]), transposed: false } };
}

function blocks(take: Take, prefix: string, { layers, width, mlpWidth, layerScale }: TowerConfig): Block[] {
  return Array.from({ length: layers }, (_, layer) => {
    const name = `${prefix}transformer.resblocks.${layer}`;
    const [query, key, value] = parts(
      take,
      `${name}.attn.in_proj_weight`,
      `${name}.attn.in_proj_bias`,
      3,
      width,
    );
    const scale = (of: string) => take(`${name}.${of}.gamma`, [width]);
    return {
      ln1: norm(take, `${name}.ln_1`, width),
      ...{ query, key, value },
      out: linear(take, `${name}.attn.out_proj`, width, width),
      ln2: norm(take, `${name}.ln_2`, width),
      fc1: linear(take, `${name}.mlp.c_fc`, mlpWidth, width),
      fc2: linear(take, `${name}.mlp.c_proj`, width, mlpWidth),
      ...(layerScale && { attentionScale: scale("ls_1"), mlpScale: scale("ls_2") }),
    };
  });
}
