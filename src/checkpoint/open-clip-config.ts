import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import type { Activation, ModelConfig } from "./model-config.ts";
import { openClipPreprocess } from "./preprocess-config.ts";

/**
 * Options of an OpenCLIP config that change the computation in a way that has no exact decomposition here,
 * with the reason shown to the user. `ok` says which values are harmless.
 */
const REFUSED: readonly { key: string; ok?: (value: unknown) => boolean; why: string }[] = [
  { key: "timm_model_name", why: "its image tower is a timm model, not OpenCLIP's own ViT" },
  { key: "hf_model_name", why: "its text tower is a Hugging Face language model" },
  { key: "attentional_pool", why: "it pools the image with attention instead of the CLS token" },
  {
    key: "pool_type",
    ok: (v) => v === "tok" || v === "argmax",
    why: "it does not pool at the CLS token (image) or end token (text)",
  },
  { key: "no_ln_pre", why: "it has no ln_pre" },
  { key: "ls_init_value", why: "it scales its layers' outputs (layer scale)" },
  {
    key: "pos_embed_type",
    ok: (v) => v === "learnable",
    why: "its positional embedding is not a learnt one",
  },
  { key: "input_patchnorm", why: "it normalises patches before embedding them" },
  { key: "embed_cls", why: "its text tower pools at a token of its own" },
  { key: "no_causal_mask", why: "its text tower is not causal" },
  { key: "proj_bias", why: "its text projection has a bias" },
  { key: "proj_type", ok: (v) => v === "linear", why: "its text projection is not linear" },
  { key: "act_kwargs", why: "it changes its activation's parameters" },
  { key: "multimodal_cfg", why: "it has a caption decoder (CoCa)" },
];

/**
 * Keys that are read below, or that change nothing here: they matter in training alone, or only beside a
 * refused option, or (`final_ln_after_pool`) come to the same when the CLS token is pooled.
 * Any other key is refused by name.
 */
const KNOWN = new Set([
  ...[
    "embed_dim",
    "quick_gelu",
    "vision_cfg",
    "text_cfg",
    "custom_text",
    "init_logit_scale",
    "init_logit_bias",
  ],
  ...[
    "layers",
    "width",
    "head_width",
    "mlp_ratio",
    "patch_size",
    "image_size",
    "patch_dropout",
    "output_tokens",
  ],
  ...[
    "norm_kwargs",
    "context_length",
    "vocab_size",
    "heads",
    "hf_tokenizer_name",
    "tokenizer_kwargs",
    "pad_id",
  ],
]);

const count = z.int().min(1).max(1_000_000);
const normKwargs = z.object({ eps: z.number().positive() }).nullish();
const schema = z.object({
  model_cfg: z.looseObject({
    embed_dim: count,
    quick_gelu: z.boolean().nullish(),
    vision_cfg: z.looseObject({
      layers: z.union([count, z.array(count)]),
      width: count.default(768),
      head_width: count.default(64),
      mlp_ratio: z.number().positive().default(4),
      patch_size: count.default(16),
      image_size: z.union([count, z.tuple([count, count])]).default(224),
      norm_kwargs: normKwargs,
    }),
    text_cfg: z.looseObject({
      context_length: count.default(77),
      vocab_size: count.default(49408),
      width: count.default(512),
      heads: count.default(8),
      layers: count.default(12),
      mlp_ratio: z.number().positive().default(4),
      norm_kwargs: normKwargs,
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
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new ClipInterpretError(
      "CONFIG_INVALID",
      `open_clip_config.json of ${name}: ${reasonOf(parsed.error)}`,
    );
  }
  const { model_cfg: model } = parsed.data;
  const { vision_cfg: vision, text_cfg: text } = model;
  refuseUnsupported(name, model);
  refuseUnsupported(name, vision);
  refuseUnsupported(name, text);
  if (Array.isArray(vision.layers)) throw unsupported(name, "its image tower is a ResNet");
  const [imageSize, otherSide] = [vision.image_size].flat() as [number, number?];
  if (otherSide !== undefined && otherSide !== imageSize)
    throw unsupported(name, "its images are not square");
  const activation: Activation = (model.quick_gelu ?? unsaid === "quick_gelu") ? "quick_gelu" : "gelu";
  const grid = Math.floor(imageSize / vision.patch_size);
  return {
    embedDim: model.embed_dim,
    vision: {
      width: vision.width,
      layers: vision.layers,
      heads: divide(name, "vision_cfg.width", vision.width, vision.head_width),
      headDim: vision.head_width,
      mlpWidth: Math.trunc(vision.width * vision.mlp_ratio),
      activation,
      epsilon: vision.norm_kwargs?.eps ?? 1e-5,
      imageSize,
      patchSize: vision.patch_size,
      grid,
      tokens: grid * grid + 1,
    },
    text: {
      width: text.width,
      layers: text.layers,
      heads: text.heads,
      headDim: divide(name, "text_cfg.width", text.width, text.heads),
      mlpWidth: Math.trunc(text.width * text.mlp_ratio),
      activation,
      epsilon: text.norm_kwargs?.eps ?? 1e-5,
      contextLength: text.context_length,
      vocabSize: text.vocab_size,
    },
    preprocess: openClipPreprocess(parsed.data.preprocess_cfg, imageSize, name),
  };
}

const textFacts = z.object({
  model_cfg: z.object({
    quick_gelu: z.boolean().nullish(),
    text_cfg: z.object({ hf_tokenizer_name: z.string().nullish() }),
  }),
});

/** What an `open_clip_config.json` leaves unsaid may matter: its activation, and whose tokenizer it reads texts with. */
export function openClipFacts(json: unknown): { saysActivation: boolean; tokenizerName: string | undefined } {
  const parsed = textFacts.safeParse(json).data?.model_cfg;
  return {
    saysActivation: typeof parsed?.quick_gelu === "boolean",
    tokenizerName: parsed?.text_cfg.hf_tokenizer_name ?? undefined,
  };
}

const unsupported = (name: string, why: string) =>
  new ClipInterpretError("MODEL_UNSUPPORTED", `${name} cannot be decomposed exactly: ${why}`);

/** null, undefined, false and {} mean that an option is off. */
const isOff = (value: unknown) =>
  value == null || value === false || (typeof value === "object" && Object.keys(value).length === 0);

function refuseUnsupported(name: string, section: Record<string, unknown>) {
  for (const [key, value] of Object.entries(section)) {
    if (KNOWN.has(key) || isOff(value)) continue;
    const rule = REFUSED.find((candidate) => candidate.key === key);
    if (!rule) throw unsupported(name, `its config has the option "${key}", which is not known here`);
    if (!rule.ok?.(value)) throw unsupported(name, `${rule.why} (${key})`);
  }
}

/** `whole / part`, which must be a whole number. */
export function divide(name: string, field: string, whole: number, part: number): number {
  if (whole % part !== 0) {
    throw new ClipInterpretError("CONFIG_INVALID", `${name}: ${field} ${whole} does not divide by ${part}`);
  }
  return whole / part;
}
