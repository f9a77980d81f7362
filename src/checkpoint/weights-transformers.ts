import { type ModelConfig, readsTexts, type TowerConfig } from "./model-config.ts";
import {
  type Block,
  type ClipWeights,
  linear,
  norm,
  type Pool,
  type Projection,
  parts,
  perhapsBiased,
  type Take,
} from "./weight-roles.ts";
import { languageWeights } from "./weights-language.ts";

/** Tensors under transformers' names: a CLIPModel's or a SiglipModel's. */
export function transformersWeights(
  take: Take,
  { vision, text, embedDim }: ModelConfig,
): Pick<ClipWeights, "vision" | "text"> {
  const { patchSize, width, tokens } = vision;
  const image = "vision_model.embeddings";
  const projection = (name: string, from: number): Projection => ({
    ...perhapsBiased(take, name, [embedDim, from]),
    transposed: true,
  });
  return {
    vision: {
      ...(vision.prefix === 1 && {
        classEmbedding: take(`${image}.class_embedding`, [width]),
      }),
      stem: {
        kind: "patches",
        convolution: perhapsBiased(take, `${image}.patch_embedding`, [width, 3, patchSize, patchSize]),
      },
      positionalEmbedding: take(`${image}.position_embedding.weight`, [tokens, width]),
      // Not a slip of ours: transformers' own name has the letters swapped.
      ...(vision.lnPre && {
        lnPre: norm(take, "vision_model.pre_layrnorm", width),
      }),
      blocks: blocks(take, "vision_model", vision),
      lnPost: norm(take, "vision_model.post_layernorm", width),
      ...(vision.pooling === "attention"
        ? { pool: pool(take, width, vision.pool?.mlpWidth ?? width) }
        : { projection: projection("visual_projection", width) }),
    },
    ...(readsTexts(text) && {
      text: text.language
        ? languageWeights(take, "transformers", text, embedDim)
        : {
            tokenEmbedding: take("text_model.embeddings.token_embedding.weight", [
              text.vocabSize,
              text.width,
            ]),
            positionalEmbedding: take("text_model.embeddings.position_embedding.weight", [
              text.contextLength,
              text.width,
            ]),
            blocks: blocks(take, "text_model", text),
            lnFinal: norm(take, "text_model.final_layer_norm", text.width),
            projection: projection(
              text.pooling === "last" ? "text_model.head" : "text_projection",
              text.width,
            ),
          },
    }),
  };
}

function blocks(take: Take, prefix: string, { layers, width, mlpWidth }: TowerConfig): Block[] {
  return Array.from({ length: layers }, (_, layer): Block => {
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
}

/** SigLIP's head. */
function pool(take: Take, width: number, mlpWidth: number): Pool {
  const name = "vision_model.head";
  const attention = `${name}.attention`;
  const [query, key, value] = parts(
    take,
    `${attention}.in_proj_weight`,
    `${attention}.in_proj_bias`,
    3,
    width,
  );
  return {
    latent: take(`${name}.probe`, [1, 1, width]),
    ...{ query, key, value },
    out: linear(take, `${attention}.out_proj`, width, width),
    mlp: {
      norm: norm(take, `${name}.layernorm`, width),
      fc1: linear(take, `${name}.mlp.fc1`, mlpWidth, width),
      fc2: linear(take, `${name}.mlp.fc2`, width, mlpWidth),
    },
  };
}
