import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import type { TextRules } from "../text/tokenizer.ts";
import type { Activation, ModelConfig, TowerConfig } from "./model-config.ts";
import { divide } from "./open-clip-config.ts";
import { hfPreprocess } from "./preprocess-config.ts";

const count = z.int().min(1).max(1_000_000);

/** Defaults are those of transformers' CLIPConfig: files on the hub leave out whatever equals them. */
const tower = {
  hidden_act: z.string().default("quick_gelu"),
  layer_norm_eps: z.number().positive().default(1e-5),
  num_hidden_layers: count.default(12),
};
const visionSchema = z.object({
  ...tower,
  hidden_size: count.default(768),
  intermediate_size: count.default(3072),
  num_attention_heads: count.default(12),
  image_size: count.default(224),
  patch_size: count.default(32),
});
const textSchema = z.object({
  ...tower,
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  num_attention_heads: count.default(8),
  max_position_embeddings: count.default(77),
  vocab_size: count.default(49408),
});
const section = z.record(z.string(), z.unknown()).nullish();
const schema = z.object({
  model_type: z.string(),
  projection_dim: count.default(512),
  vision_config: section,
  vision_config_dict: section,
  text_config: section,
  text_config_dict: section,
});
/**
 * Reads transformers' `config.json` of a CLIPModel, with its preprocessing (`readHfPreprocessor`).
 * An absent `hidden_act` means quick_gelu, transformers' default.
 *
 * @throws `CONFIG_INVALID`, or `MODEL_UNSUPPORTED` with the reason
 */
export function parseHfConfig(json: unknown, preprocessorJson: unknown, name: string): ModelConfig {
  const config = parse(schema, json, `config.json of ${name}`);
  if (config.model_type !== "clip") {
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${name} is a "${config.model_type}" model, not a CLIP`,
    );
  }
  const vision = parse(
    visionSchema,
    { ...config.vision_config, ...config.vision_config_dict },
    `vision_config of ${name}`,
  );
  const text = parse(
    textSchema,
    { ...config.text_config, ...config.text_config_dict },
    `text_config of ${name}`,
  );
  const grid = Math.floor(vision.image_size / vision.patch_size);
  return {
    embedDim: config.projection_dim,
    vision: {
      ...towerConfig(name, "vision_config", vision),
      imageSize: vision.image_size,
      patchSize: vision.patch_size,
      grid,
      tokens: grid * grid + 1,
    },
    text: {
      ...towerConfig(name, "text_config", text),
      contextLength: text.max_position_embeddings,
      vocabSize: text.vocab_size,
    },
    preprocess: hfPreprocess(preprocessorJson, vision.image_size, name),
  };
}

const textRulesSchema = z.object({
  /** transformers' own default. A list, which generating models may have, is none that a CLIP pools at. */
  eos_token_id: count.default(49407),
});

/**
 * How transformers turns texts into what a CLIPModel pools: no repair; at the first `eos_token_id`, but at the highest id
 * where that is 2, which configs from before 4.31 say wrongly.
 * @throws `CONFIG_INVALID`
 */
export function hfTextRules(json: unknown, name: string): TextRules {
  const { text_config, text_config_dict } = parse(schema, json, `config.json of ${name}`);
  const { eos_token_id: end } = parse(
    textRulesSchema,
    { ...text_config, ...text_config_dict },
    `text_config of ${name}`,
  );
  return { cleaning: "transformers", pooling: end === 2 ? "highest" : end };
}

function parse<Schema extends z.ZodType>(type: Schema, json: unknown, what: string): z.infer<Schema> {
  const parsed = type.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ClipInterpretError("CONFIG_INVALID", `${what}: ${reasonOf(parsed.error)}`);
}

function towerConfig(
  name: string,
  field: string,
  config: z.infer<typeof visionSchema> | z.infer<typeof textSchema>,
): TowerConfig {
  const activations: Record<string, Activation> = { gelu: "gelu", quick_gelu: "quick_gelu" };
  const activation = activations[config.hidden_act];
  if (!activation) {
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${name}: ${field}.hidden_act "${config.hidden_act}" is not supported`,
    );
  }
  return {
    width: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    headDim: divide(name, `${field}.hidden_size`, config.hidden_size, config.num_attention_heads),
    mlpWidth: config.intermediate_size,
    activation,
    epsilon: config.layer_norm_eps,
  };
}
