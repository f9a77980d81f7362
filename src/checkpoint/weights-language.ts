import type { LanguageConfig, TextConfig } from "./model-config.ts";
import {
  type LanguageBlock,
  type LanguageWeights,
  type Linear,
  linear,
  norm,
  rows,
  type Take,
} from "./weight-roles.ts";

/**
 * The tensors of an encoder of BERT's kind, under the names that transformers gives them.
 * @param layout whose: OpenCLIP puts them under `text.transformer`, transformers under `text_model`
 */
export function languageWeights(
  take: Take,
  layout: "open_clip" | "transformers",
  text: TextConfig,
  embedDim: number,
): LanguageWeights {
  const { width, vocabSize, language } = text;
  if (!language) throw new RangeError("not a language model's text tower");
  if (language.family === "m2m100")
    return m2m100Weights(take, text, projectionsOf(take, layout, text, embedDim));
  if (language.family === "t5") return t5Weights(take, text, projectionsOf(take, layout, text, embedDim));
  // AltCLIP has what is normed.
  const within = language.projection === "normed" ? "text_model.roberta." : "text_model.";
  const encoder = layout === "open_clip" ? "text.transformer." : within;
  // As AltCLIP is saved by transformers 5; before, and everywhere else, it was `layer`.
  const list = take.has(`${encoder}encoder.layers.0.output.dense.weight`) ? "layers" : "layer";
  const embeddings = `${encoder}embeddings`;
  const types = take(`${embeddings}.token_type_embeddings.weight`, [language.types ?? 1, width]);
  return {
    tokenEmbedding: take(`${embeddings}.word_embeddings.weight`, [vocabSize, width]),
    positionalEmbedding: take(`${embeddings}.position_embeddings.weight`, [language.positions ?? 1, width]),
    typeEmbedding: rows(types, 0, 1),
    lnEmbedding: norm(take, `${embeddings}.LayerNorm`, width),
    blocks: Array.from({ length: text.layers }, (_, layer) =>
      languageBlock(take, `${encoder}encoder.${list}.${layer}`, text),
    ),
    ...(language.pooler && { pooler: linear(take, `${encoder}pooler.dense`, width, width) }),
    ...(language.projection === "normed" && { lnLast: norm(take, "text_model.pre_LN", width) }),
    projections: projectionsOf(take, layout, text, embedDim),
  };
}

const projectionsOf = (
  take: Take,
  layout: "open_clip" | "transformers",
  { width, language }: TextConfig,
  embedDim: number,
): Linear[] => {
  const name = layout === "open_clip" ? "text.proj" : "text_projection";
  return projections(take, name, language?.projection ?? "none", width, embedDim);
};

/** NLLB's encoder in OpenCLIP. */
function m2m100Weights(
  take: Take,
  { width, vocabSize, layers, mlpWidth }: TextConfig,
  projections: Linear[],
): LanguageWeights {
  const encoder = "text.transformer";
  return {
    tokenEmbedding: take(`${encoder}.embed_tokens.weight`, [vocabSize, width]),
    blocks: Array.from({ length: layers }, (_, layer) => {
      const name = `${encoder}.layers.${layer}`;
      return {
        ln1: norm(take, `${name}.self_attn_layer_norm`, width),
        query: linear(take, `${name}.self_attn.q_proj`, width, width),
        key: linear(take, `${name}.self_attn.k_proj`, width, width),
        value: linear(take, `${name}.self_attn.v_proj`, width, width),
        out: linear(take, `${name}.self_attn.out_proj`, width, width),
        ln2: norm(take, `${name}.final_layer_norm`, width),
        fc1: linear(take, `${name}.fc1`, mlpWidth, width),
        fc2: linear(take, `${name}.fc2`, width, mlpWidth),
      };
    }),
    lnLast: norm(take, `${encoder}.layer_norm`, width),
    projections,
  };
}

/** The encoder of a T5, mT5's among them, in OpenCLIP. */
function t5Weights(
  take: Take,
  { width, vocabSize, layers, heads, mlpWidth, language }: TextConfig,
  projections: Linear[],
): LanguageWeights {
  const encoder = "text.transformer";
  const map = (name: string, outputs: number, inputs: number): Linear => ({
    weight: take(`${name}.weight`, [outputs, inputs]),
  });
  const scale = (name: string) => ({ weight: take(`${name}.weight`, [width]) });
  return {
    tokenEmbedding: take(`${encoder}.embed_tokens.weight`, [vocabSize, width]),
    relative: take(`${encoder}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`, [
      language?.relative?.buckets ?? 1,
      heads,
    ]),
    blocks: Array.from({ length: layers }, (_, layer) => {
      const [attention, mlp] = [0, 1].map((part) => `${encoder}.block.${layer}.layer.${part}`);
      return {
        ln1: scale(`${attention}.layer_norm`),
        query: map(`${attention}.SelfAttention.q`, width, width),
        key: map(`${attention}.SelfAttention.k`, width, width),
        value: map(`${attention}.SelfAttention.v`, width, width),
        out: map(`${attention}.SelfAttention.o`, width, width),
        ln2: scale(`${mlp}.layer_norm`),
        gate: map(`${mlp}.DenseReluDense.wi_0`, mlpWidth, width),
        fc1: map(`${mlp}.DenseReluDense.wi_1`, mlpWidth, width),
        fc2: map(`${mlp}.DenseReluDense.wo`, width, mlpWidth),
      };
    }),
    lnLast: scale(`${encoder}.final_layer_norm`),
    projections,
  };
}

function languageBlock(take: Take, name: string, { width, mlpWidth }: TextConfig): LanguageBlock {
  const attention = `${name}.attention.self`;
  return {
    query: linear(take, `${attention}.query`, width, width),
    key: linear(take, `${attention}.key`, width, width),
    value: linear(take, `${attention}.value`, width, width),
    out: linear(take, `${name}.attention.output.dense`, width, width),
    ln1: norm(take, `${name}.attention.output.LayerNorm`, width),
    fc1: linear(take, `${name}.intermediate.dense`, mlpWidth, width),
    fc2: linear(take, `${name}.output.dense`, width, mlpWidth),
    ln2: norm(take, `${name}.output.LayerNorm`, width),
  };
}

/** Of OpenCLIP's two maps the first is as wide as the mean of what it is between. */
function projections(
  take: Take,
  name: string,
  kind: LanguageConfig["projection"],
  width: number,
  embedDim: number,
): Linear[] {
  if (kind === "none") return [];
  if (kind === "linear") return [{ weight: take(`${name}.weight`, [embedDim, width]) }];
  if (kind === "normed") {
    const between = take.shape("text_model.transformation.weight")?.[0] ?? width;
    return [
      linear(take, "text_model.transformation", between, width),
      { weight: take(`${name}.weight`, [embedDim, between]) },
    ];
  }
  const middle = Math.floor((width + embedDim) / 2);
  return [
    { weight: take(`${name}.0.weight`, [middle, width]) },
    { weight: take(`${name}.2.weight`, [embedDim, middle]) },
  ];
}
