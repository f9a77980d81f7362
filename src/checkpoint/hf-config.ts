import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import type { TextRules } from "../text/tokenizer.ts";
import type { LanguageModel } from "./language-models.ts";
import type {
  LanguageConfig,
  ModelConfig,
  NoTexts,
  Pooling,
  TextConfig,
  TowerActivation,
  TowerConfig,
} from "./model-config.ts";
import { divide, languageConfig } from "./open-clip-config.ts";
import { hfPreprocess } from "./preprocess-config.ts";
import { quoted } from "./weight-source.ts";

const count = z.int().min(1).max(1_000_000);

/** A number, or a list of two that are equal. */
const side = z.union([
  count,
  z
    .tuple([count, count])
    .refine(([a, b]) => a === b)
    .transform(([a]) => a),
]);

const visionSchema = z.object({
  hidden_act: z.string(),
  layer_norm_eps: z.number().positive(),
  num_hidden_layers: count,
  hidden_size: count,
  intermediate_size: count,
  num_attention_heads: count,
  image_size: side,
  patch_size: side,
});
const textSchema = z.object({
  hidden_act: z.string(),
  layer_norm_eps: z.number().positive(),
  num_hidden_layers: count,
  hidden_size: count,
  intermediate_size: count,
  num_attention_heads: count,
  max_position_embeddings: count,
  vocab_size: count,
});

/** A text tower that is an encoder of BERT's kind. */
const languageSchema = textSchema.extend({
  type_vocab_size: count,
  pad_token_id: z.int().nonnegative(),
});

/** Defaults of transformers' CLIPConfig: files on the hub leave out whatever equals them. */
const CLIP = {
  vision: {
    ...{ hidden_act: "quick_gelu", layer_norm_eps: 1e-5, num_hidden_layers: 12, hidden_size: 768 },
    ...{ intermediate_size: 3072, num_attention_heads: 12, image_size: 224, patch_size: 32 },
  },
  text: {
    ...{ hidden_act: "quick_gelu", layer_norm_eps: 1e-5, num_hidden_layers: 12, hidden_size: 512 },
    ...{ intermediate_size: 2048, num_attention_heads: 8, max_position_embeddings: 77, vocab_size: 49408 },
  },
  lnPre: true,
  prefix: 1,
  pooling: "cls",
  texts: { causal: true, pooling: "end" },
} as const satisfies Family;

/** Those of its SiglipConfig. */
const SIGLIP = {
  vision: {
    ...CLIP.vision,
    ...{ hidden_act: "gelu_pytorch_tanh", layer_norm_eps: 1e-6, patch_size: 16 },
  },
  text: {
    ...{ hidden_act: "gelu_pytorch_tanh", layer_norm_eps: 1e-6, num_hidden_layers: 12, hidden_size: 768 },
    ...{ intermediate_size: 3072, num_attention_heads: 12, max_position_embeddings: 64, vocab_size: 32000 },
  },
  lnPre: false,
  prefix: 0,
  pooling: "attention",
  texts: { causal: false, pooling: "last" },
} as const satisfies Family;

/** What models of one `model_type` have in common. */
interface Family {
  readonly vision: z.infer<typeof visionSchema>;
  readonly text: Partial<z.infer<typeof languageSchema>>;
  readonly lnPre: boolean;
  readonly prefix: 0 | 1;
  readonly pooling: "cls" | "attention";
  readonly texts:
    | { readonly causal: boolean; readonly pooling: "end" | "last" }
    | { readonly family: LanguageModel["family"]; readonly projection: LanguageConfig["projection"] }
    | NoTexts;
}

/** Those of its ChineseCLIPConfig: the image tower is a CLIP's, the text tower a BERT that is pooled at its first token. */
const CHINESE_CLIP: Family = {
  ...CLIP,
  text: {
    ...{ hidden_act: "gelu", layer_norm_eps: 1e-12, num_hidden_layers: 12, hidden_size: 768 },
    ...{ intermediate_size: 3072, num_attention_heads: 12, max_position_embeddings: 512, vocab_size: 30522 },
    ...{ type_vocab_size: 2, pad_token_id: 0 },
  },
  texts: { family: "bert", projection: "linear" },
};

/** Those of its AltCLIPConfig: the text tower is an XLM-RoBERTa. */
const ALTCLIP: Family = {
  ...CLIP,
  text: {
    ...{ hidden_act: "gelu", layer_norm_eps: 1e-5, num_hidden_layers: 24, hidden_size: 1024 },
    ...{ intermediate_size: 4096, num_attention_heads: 16, max_position_embeddings: 514, vocab_size: 250002 },
    ...{ type_vocab_size: 1, pad_token_id: 1 },
  },
  texts: { family: "roberta", projection: "normed" },
};

const imagesOnly = (unsupported: string): Family => ({ ...CLIP, texts: { unsupported } });

/** Families that load, by `model_type`. */
const FAMILIES: Readonly<Record<string, Family>> = {
  clip: CLIP,
  clip_vision_model: imagesOnly("there is none in a CLIPVisionModelWithProjection"),
  metaclip_2: CLIP,
  metaclip_2_vision_model: imagesOnly("there is none in a MetaClip2VisionModelWithProjection"),
  clipseg: CLIP,
  chinese_clip: CHINESE_CLIP,
  altclip: ALTCLIP,
  siglip: SIGLIP,
};

/** Whether models of a `model_type` may load. */
export const isKnownFamily = (modelType: string): boolean => Object.hasOwn(FAMILIES, modelType);

/** Families that do not, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  siglip2: "its images have no fixed size (NaFlex); SigLIP 2 of fixed size has the model_type siglip",
  siglip_vision_model: "it is the image tower of a SigLIP alone; the whole SiglipModel loads",
  siglip2_vision_model: "its images have no fixed size (NaFlex)",
  align: "its image tower is an EfficientNet, made of convolutions: it has no attention heads",
  groupvit: "its image tower merges tokens into groups between its stages",
  xclip: "it reads videos: its frames attend to each other before they are averaged",
  blip: "a BLIP's tensors are not read here",
  "blip-2": "its image tower feeds a Q-Former; it has no embedding of its own",
  flava: "its image tower is no CLIP's, and its embedding goes through further layers",
  owlvit: "an OWL-ViT's tensors are not read here; the CLIP that it was made from loads",
  owlv2: "an OWLv2's tensors are not read here; the CLIP that it was made from loads",
  clap: "it reads sounds, not images",
  "vision-text-dual-encoder": "it is made of two models of any kind",
};

const section = z.record(z.string(), z.unknown()).nullish();
const schema = z.looseObject({
  model_type: z.string(),
  projection_dim: count.default(512),
  vision_config: section,
  vision_config_dict: section,
  text_config: section,
  text_config_dict: section,
});
/** What transformers does to a SigLIP's pictures where nothing is said. */
const SIGLIP_PICTURES = { image_processor_type: "SiglipImageProcessor" };

/**
 * Reads transformers' `config.json` of a CLIPModel, a SiglipModel or one of their kin, with its preprocessing
 * (`readHfPreprocessor`).
 * An absent `hidden_act` means quick_gelu, transformers' default.
 *
 * @throws `CONFIG_INVALID`, or `MODEL_UNSUPPORTED` with the reason
 */
export function parseHfConfig(json: unknown, preprocessorJson: unknown, name: string): ModelConfig {
  const config = parse(schema, json, `config.json of ${name}`);
  const family = FAMILIES[config.model_type];
  if (!family) {
    const why = REFUSED[config.model_type] ?? "that kind is not known here";
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${name} is a ${quoted(config.model_type)} model: ${why}`,
    );
  }
  const vision = parse(
    visionSchema,
    { ...family.vision, ...visionSection(config) },
    `vision_config of ${name}`,
  );
  const grid = Math.floor(vision.image_size / vision.patch_size);
  const { prefix, lnPre, pooling } = family;
  return {
    // SigLIP's towers end in the joint space.
    embedDim: pooling === "attention" ? vision.hidden_size : config.projection_dim,
    vision: {
      ...towerConfig(name, "vision_config", vision),
      ...{ imageSize: vision.image_size, patchSize: vision.patch_size, grid, tokens: grid * grid + prefix },
      ...{ prefix, lnPre, pooling },
      ...(pooling === "attention" && {
        pool: { heads: vision.num_attention_heads, mlpWidth: vision.intermediate_size },
      }),
    },
    text: textConfig(name, family, config),
    preprocess: hfPreprocess(
      preprocessorJson ?? (pooling === "attention" ? SIGLIP_PICTURES : undefined),
      vision.image_size,
      name,
    ),
  };
}

/** The image section; of an image tower saved alone, the whole config. */
function visionSection(config: z.infer<typeof schema>): Record<string, unknown> {
  if (config.model_type.endsWith("vision_model")) return { ...config };
  return { ...config.vision_config, ...config.vision_config_dict };
}

function textConfig(
  name: string,
  { text: defaults, texts }: Family,
  { text_config, text_config_dict }: z.infer<typeof schema>,
): ModelConfig["text"] {
  if ("unsupported" in texts) return texts;
  const given = { ...defaults, ...text_config, ...text_config_dict };
  if ("family" in texts) return languageText(name, texts, given);
  const text = parse(textSchema, given, `text_config of ${name}`);
  return {
    ...towerConfig(name, "text_config", text),
    contextLength: text.max_position_embeddings,
    vocabSize: text.vocab_size,
    ...texts,
  };
}

function languageText(
  name: string,
  { family, projection }: Extract<Family["texts"], { family: string }>,
  given: object,
): TextConfig {
  const text = parse(languageSchema, given, `text_config of ${name}`);
  const { headDim: _, ...tower } = towerConfig(name, "text_config", text);
  const positions = text.max_position_embeddings;
  const padId = text.pad_token_id;
  const facts = { family, positions, padId, types: text.type_vocab_size, vocabSize: text.vocab_size };
  // A RoBERTa's first position stands behind its padding's.
  const contextLength = family === "roberta" ? positions - padId - 1 : positions;
  return languageConfig(name, { ...tower, ...facts }, contextLength, {
    ...{ pooling: "first", pooler: false, projection },
  });
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
  const { model_type, text_config, text_config_dict } = parse(schema, json, `config.json of ${name}`);
  if ("family" in (FAMILIES[model_type]?.texts ?? {})) return { cleaning: "space", pooling: "whole" };
  if (model_type === "siglip") return { cleaning: "siglip", pooling: "last", fill: true };
  const { eos_token_id: end } = parse(
    textRulesSchema,
    { ...text_config, ...text_config_dict },
    `text_config of ${name}`,
  );
  // Models that came later have no such configs: 2 means 2.
  const isOld = end === 2 && model_type !== "metaclip_2";
  return { cleaning: "transformers", pooling: isOld ? "highest" : end };
}

function parse<Schema extends z.ZodType>(type: Schema, json: unknown, what: string): z.infer<Schema> {
  const parsed = type.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ClipInterpretError("CONFIG_INVALID", `${what}: ${reasonOf(parsed.error)}`);
}

/** transformers' names of activations. */
const ACTIVATIONS: Readonly<Record<string, TowerActivation>> = {
  ...{ gelu: "gelu", gelu_python: "gelu", quick_gelu: "quick_gelu" },
  ...{ gelu_pytorch_tanh: "gelu_tanh", gelu_new: "gelu_tanh" },
};

function towerConfig(
  name: string,
  field: string,
  config: z.infer<typeof visionSchema> | z.infer<typeof textSchema>,
): TowerConfig {
  const activation = ACTIVATIONS[config.hidden_act];
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

/** What is known of one `model_type` of transformers'. */
export interface HfFamily {
  readonly type: string;
  /** How its image tower pools, and whether its texts are read: true, or why not. */
  readonly loads?: { readonly pooling: Pooling; readonly texts: true | string };
  readonly refused?: string;
}

/** Every `model_type` that loads, and every one that is known not to. */
export const hfFamilies = (): HfFamily[] => [
  ...Object.entries(FAMILIES).map(([type, { pooling, texts }]) => ({
    type,
    loads: { pooling, texts: "unsupported" in texts ? texts.unsupported : (true as const) },
  })),
  ...Object.entries(REFUSED).map(([type, refused]) => ({ type, refused })),
];
