import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import { OPEN_CLIP_RULES, type TextRules } from "../text/tokenizer.ts";
import { type LanguageModel, languageModelNamed, languageModelSchema } from "./language-models.ts";
import type { Activation, LanguageConfig, ModelConfig, TextConfig, VisionConfig } from "./model-config.ts";
import { refuseUnsupported, textProblem, unsupported } from "./open-clip-options.ts";
import { openClipPreprocess } from "./preprocess-config.ts";
import { type TimmTower, timmTowerSchema } from "./timm-tower.ts";
import { TIMM_TOWERS } from "./timm-towers.ts";

const count = z.int().min(1).max(1_000_000);
const normKwargs = z.object({ eps: z.number().positive() }).nullish();
const actKwargs = z.object({ approximate: z.string().optional() }).nullish();
/** A number, or a list of two that must be equal. */
const side = z.union([count, z.tuple([count, count])]);
const schema = z.object({
  model_cfg: z.looseObject({
    embed_dim: count,
    quick_gelu: z.boolean().nullish(),
    vision_cfg: z.looseObject({
      layers: z.union([count, z.array(count)]).default(12),
      width: count.default(768),
      head_width: count.default(64),
      mlp_ratio: z.number().positive().default(4),
      patch_size: side.default(16),
      image_size: side.default(224),
      norm_kwargs: normKwargs,
      act_kwargs: actKwargs,
      no_ln_pre: z.boolean().nullish(),
      ls_init_value: z.number().nullish(),
      pool_type: z.string().nullish(),
      final_ln_after_pool: z.boolean().nullish(),
      attentional_pool: z.union([z.boolean(), z.string()]).nullish(),
      attn_pooler_heads: count.default(8),
      timm_model_name: z.string().nullish(),
      timm_pool: z.string().nullish(),
      timm_proj: z.string().nullish(),
    }),
    text_cfg: z.looseObject({
      context_length: count.default(77),
      vocab_size: count.default(49408),
      width: count.default(512),
      heads: count.default(8),
      layers: count.default(12),
      mlp_ratio: z.number().positive().default(4),
      norm_kwargs: normKwargs,
      act_kwargs: actKwargs,
      ls_init_value: z.number().nullish(),
      no_causal_mask: z.boolean().nullish(),
      pool_type: z.string().nullish(),
      eos_id: z.int().nullish(),
      hf_model_name: z.string().nullish(),
      hf_tower: z.record(z.string(), z.unknown()).nullish(),
      hf_pooler_type: z.string().nullish(),
      hf_proj_type: z.string().nullish(),
      embed_cls: z.boolean().nullish(),
      proj_type: z.string().nullish(),
    }),
  }),
  preprocess_cfg: z.unknown().optional(),
});

/**
 * Reads OpenCLIP's `open_clip_config.json`.
 *
 * @param json the parsed file
 * @param name what the model is called in messages
 * @param unsaid the activation where `quick_gelu` is absent; OpenCLIP takes GELU
 * @throws `CONFIG_INVALID`, or `MODEL_UNSUPPORTED` with the reason
 */
export function parseOpenClipConfig(json: unknown, name: string, unsaid: Activation = "gelu"): ModelConfig {
  refuseUnsupported(name, json);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new ClipInterpretError(
      "CONFIG_INVALID",
      `open_clip_config.json of ${name}: ${reasonOf(parsed.error)}`,
    );
  }
  const { model_cfg: model } = parsed.data;
  const { vision_cfg: vision, text_cfg: text } = model;
  const quick = model.quick_gelu ?? unsaid === "quick_gelu";
  const imageTower = visionConfig(name, vision, quick);
  return {
    embedDim: model.embed_dim,
    vision: imageTower,
    text: textConfig(name, text, quick, model.embed_dim),
    preprocess: openClipPreprocess(parsed.data.preprocess_cfg, imageTower.imageSize, name),
  };
}

const textFacts = z.object({
  model_cfg: z.object({
    quick_gelu: z.boolean().nullish(),
    vision_cfg: z.record(z.string(), z.unknown()),
    text_cfg: z.looseObject({
      hf_tokenizer_name: z.string().nullish(),
      hf_model_name: z.string().nullish(),
      hf_tower: z.looseObject({ family: z.string().optional() }).nullish(),
      pool_type: z.string().nullish(),
      eos_id: z.int().default(2),
      no_causal_mask: z.boolean().nullish(),
      tokenizer_kwargs: z
        .looseObject({
          clean: z.string().nullish(),
          strip_sep_token: z.boolean().nullish(),
        })
        .nullish(),
    }),
  }),
});

const CLEANINGS: Readonly<Record<string, TextRules["cleaning"]>> = {
  ...{ whitespace: "open_clip", lower: "open_clip_lower", canonicalize: "open_clip_canonical" },
};

/**
 * What of an `open_clip_config.json` its {@link ModelConfig} does not say: whether it names its activation, whose tokenizer
 * it reads texts with and how, and the facts of its timm tower.
 */
export function openClipFacts(
  json: unknown,
  name: string,
): {
  saysActivation: boolean;
  tokenizerName: string | undefined;
  textRules: TextRules;
  tower: TimmTower | undefined;
} {
  const parsed = textFacts.safeParse(json).data?.model_cfg;
  const text = parsed?.text_cfg;
  const tower = parsed && timmTower(name, parsed.vision_cfg);
  const language = text?.hf_model_name
    ? { ...languageModelNamed(text.hf_model_name), ...text.hf_tower }
    : undefined;
  return {
    // A timm tower has its own, which OpenCLIP does not change.
    saysActivation: typeof parsed?.quick_gelu === "boolean" || tower !== undefined,
    tokenizerName: text?.hf_tokenizer_name ?? undefined,
    textRules: {
      cleaning: CLEANINGS[text?.tokenizer_kwargs?.clean ?? "whitespace"] ?? "open_clip",
      // NLLB's tokenizer puts the language before a text, which is English where nothing is said.
      ...(language?.family === "m2m100" && { around: { before: "eng_Latn", behind: "</s>" } }),
      pooling: text?.hf_model_name
        ? "whole"
        : text?.pool_type === "eos"
          ? text.eos_id
          : text?.pool_type === "last"
            ? "last"
            : OPEN_CLIP_RULES.pooling,
      ...(text?.no_causal_mask && { fill: true }),
      ...(text?.tokenizer_kwargs?.strip_sep_token && { separatorIsZero: true }),
    },
    tower,
  };
}

type Sections = z.infer<typeof schema>["model_cfg"];

function visionConfig(name: string, vision: Sections["vision_cfg"], quick: boolean): VisionConfig {
  const tower = timmTower(name, vision);
  if (tower) return timmConfig(name, tower);
  if (typeof vision.layers !== "number") throw unsupported(name, "its image tower is a ResNet");
  const imageSize = square(name, "images", vision.image_size);
  const patchSize = square(name, "patches", vision.patch_size);
  const grid = Math.floor(imageSize / patchSize);
  const average = vision.final_ln_after_pool ? "mean-norm" : "norm-mean";
  return {
    width: vision.width,
    layers: vision.layers,
    heads: divide(name, "vision_cfg.width", vision.width, vision.head_width),
    headDim: vision.head_width,
    mlpWidth: Math.trunc(vision.width * vision.mlp_ratio),
    activation: activationOf(quick, vision.act_kwargs),
    epsilon: vision.norm_kwargs?.eps ?? 1e-5,
    ...{ imageSize, patchSize, grid, tokens: grid * grid + 1, prefix: 1 },
    lnPre: !vision.no_ln_pre,
    ...(vision.ls_init_value != null && { layerScale: true }),
    ...(vision.attentional_pool
      ? { pooling: "attention", pool: { heads: vision.attn_pooler_heads } }
      : { pooling: vision.pool_type === "avg" ? average : "cls" }),
  };
}

/**
 * The facts of a config's timm tower, if it has one: those of its name, and what the config itself says.
 * @throws `CONFIG_INVALID` where the config's own facts are not enough
 */
export function timmTower(name: string, vision: Readonly<Record<string, unknown>>): TimmTower | undefined {
  const { timm_model_name: timm, timm_tower: own } = vision;
  if (typeof timm !== "string") return undefined;
  const parsed = timmTowerSchema.safeParse({ ...TIMM_TOWERS[timm], ...(own as object | undefined) });
  if (parsed.success) return parsed.data;
  throw new ClipInterpretError(
    "CONFIG_INVALID",
    `vision_cfg.timm_tower of ${name}: ${z.prettifyError(parsed.error)}`,
  );
}

/** Its size is the tower's own, whatever the config says: `ViTamin-XL-384` says 256, at which OpenCLIP's own fails. */
function timmConfig(name: string, tower: TimmTower): VisionConfig {
  const { imageSize } = tower;
  const { width, layers, heads, mlpWidth, activation, epsilon, patchSize, prefix, pooling } = tower;
  const grid = Math.floor(imageSize / patchSize);
  return {
    ...{ width, layers, heads, headDim: divide(name, "the timm tower's width", width, heads) },
    ...{ mlpWidth, activation, epsilon, imageSize, patchSize, grid, tokens: grid * grid + prefix },
    ...{ prefix, pooling, lnPre: tower.lnPre ?? false },
    ...(pooling === "attention" && {
      pool: { heads: tower.poolHeads ?? heads, ...(tower.poolMlpWidth && { mlpWidth: tower.poolMlpWidth }) },
    }),
    ...(tower.rotary && { rotary: tower.rotary }),
    ...(tower.layerScale && { layerScale: true }),
  };
}

function textConfig(
  name: string,
  text: Sections["text_cfg"],
  quick: boolean,
  embedDim: number,
): ModelConfig["text"] {
  const problem = textProblem(text);
  if (problem) return { unsupported: problem };
  if (text.hf_model_name) return languageTower(name, text, text.hf_model_name, embedDim);
  return {
    width: text.width,
    layers: text.layers,
    heads: text.heads,
    headDim: divide(name, "text_cfg.width", text.width, text.heads),
    mlpWidth: Math.trunc(text.width * text.mlp_ratio),
    activation: activationOf(quick, text.act_kwargs),
    epsilon: text.norm_kwargs?.eps ?? 1e-5,
    contextLength: text.context_length,
    vocabSize: text.vocab_size,
    ...(text.ls_init_value != null && { layerScale: true }),
    causal: !text.no_causal_mask,
    pooling: text.embed_cls ? "class" : text.pool_type === "last" ? "last" : "end",
  };
}

/** A text tower that is a language model: as OpenCLIP's `HFTextEncoder` makes it. */
function languageTower(
  name: string,
  text: Sections["text_cfg"],
  language: string,
  embedDim: number,
): TextConfig {
  const facts = languageModelSchema.safeParse({ ...languageModelNamed(language), ...text.hf_tower });
  if (!facts.success)
    throw new ClipInterpretError(
      "CONFIG_INVALID",
      `text_cfg.hf_tower of ${name}: ${z.prettifyError(facts.error)}`,
    );
  const { width, family } = facts.data;
  // Where the config says null, OpenCLIP takes what is usual for the family.
  const usual = family === "roberta" || family === "t5" ? "mean_pooler" : "cls_pooler";
  const { hf_pooler_type: pooler = "mean_pooler", hf_proj_type: projection = "mlp" } = text;
  if (projection === null && width !== embedDim)
    throw new ClipInterpretError("CONFIG_INVALID", `text_cfg of ${name} has no hf_proj_type`);
  return languageConfig(name, facts.data, text.context_length, {
    pooling: (pooler ?? usual) === "mean_pooler" ? "mean" : "first",
    // An encoder of a translator has no map behind its first token.
    pooler: (pooler ?? usual) === "cls_pooler" && (family === "bert" || family === "roberta"),
    projection: projection === "linear" || projection === "mlp" ? projection : "none",
  });
}

/** A language model's encoder as a text tower. */
export function languageConfig(
  name: string,
  facts: LanguageModel,
  contextLength: number,
  end: Pick<LanguageConfig, "pooler" | "projection"> & { readonly pooling: "first" | "mean" },
): TextConfig {
  const { width, layers, heads, mlpWidth, activation, epsilon, vocabSize, positions, types, padId } = facts;
  const { family, relative } = facts;
  const most = positions ? positions - (family === "bert" ? 0 : padId + 1) : Number.POSITIVE_INFINITY;
  if (contextLength > most)
    throw new ClipInterpretError(
      "CONFIG_INVALID",
      `${name}: the context of ${contextLength} tokens is longer than the ${most} positions of its language model`,
    );
  const { pooling, pooler, projection } = end;
  return {
    ...{ width, layers, heads, headDim: divide(name, "the language model's width", width, heads) },
    ...{ mlpWidth, activation, epsilon, contextLength, vocabSize, causal: false, pooling },
    language: {
      ...{ family, padId, pooler, projection },
      ...(positions && { positions }),
      ...(relative && { relative }),
      ...(types && { types }),
    },
  };
}

/** QuickGELU has no parameters to change; GELU has one. */
const activationOf = (quick: boolean, kwargs: { approximate?: string | undefined } | null | undefined) =>
  quick ? "quick_gelu" : kwargs?.approximate === "tanh" ? "gelu_tanh" : "gelu";

function square(name: string, what: string, size: number | [number, number]): number {
  const [one, other] = [size].flat() as [number, number?];
  if (other !== undefined && other !== one) throw unsupported(name, `its ${what} are not square`);
  return one;
}

/** `whole / part`, which must be a whole number. */
export function divide(name: string, field: string, whole: number, part: number): number {
  if (whole % part !== 0) {
    throw new ClipInterpretError("CONFIG_INVALID", `${name}: ${field} ${whole} does not divide by ${part}`);
  }
  return whole / part;
}
