import { ClipInterpretError } from "../support/errors.ts";
import { languageModelNamed } from "./language-models.ts";
import { TIMM_TOWERS } from "./timm-towers.ts";

/*
 * What of an OpenCLIP config is refused, with the reason shown to the user. It is looked at before the config's schema:
 * a config of another kind of network lacks what a ViT's has, which is not what is wrong with it.
 */

type Section = Readonly<Record<string, unknown>>;

/** An option of one section: `ok` says which values change nothing or are computed here. */
interface Rule {
  readonly ok?: (value: unknown) => boolean;
  readonly why?: string;
}
const any: Rule = { ok: () => true };
const only = (values: readonly unknown[], why: string): Rule => ({
  ok: (value) => values.includes(value),
  why,
});

/** Blocks that OpenCLIP offers and no config of its own uses. */
const CUSTOM_BLOCKS: Readonly<Record<string, Rule>> = {
  block_type: only(["default"], "its blocks are OpenCLIP's custom ones"),
  qk_norm: { why: "it normalises queries and keys" },
  scaled_cosine_attn: { why: "its attention is a cosine's" },
  scale_heads: { why: "it scales its heads" },
  scale_attn_inner: { why: "it normalises what its heads output" },
  scale_attn: { why: "it normalises what its attention outputs" },
  scale_fc: { why: "it normalises inside its MLPs" },
};

const isTanh = (value: unknown) => JSON.stringify(value) === '{"approximate":"tanh"}';

/** Every option of the image section that is known. Any other one is refused by name. */
const VISION: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ["layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size", "norm_kwargs"].map((key) => [
      key,
      any,
    ]),
  ),
  ...CUSTOM_BLOCKS,
  // Training's alone, or of what comes beside the embedding.
  patch_dropout: any,
  output_tokens: any,
  // Weights say the same: scales, fixed positions and the pool's queries are stored.
  ls_init_value: any,
  pos_embed_type: any,
  attn_pooler_queries: any,
  attn_pooler_heads: any,
  no_ln_pre: any,
  final_ln_after_pool: any,
  pool_type: only(["tok", "avg"], "it does not pool its tokens"),
  attentional_pool: only([true], "it has two pools in one"),
  act_kwargs: { ok: isTanh, why: "it changes its activation's parameters" },
  input_patchnorm: { why: "it normalises patches before embedding them" },
  timm_model_name: any,
  timm_tower: any,
  timm_pool: any,
  timm_proj: only(["linear", "none", ""], "its last map is an MLP"),
  timm_proj_bias: any,
  timm_model_pretrained: any,
  timm_drop: any,
  timm_drop_path: any,
};

const CLEANED = ["whitespace", "lower", "canonicalize"];
const isKnownTokenizer = (value: unknown) =>
  Object.entries(value as Section).every(([key, option]) =>
    key === "clean" ? CLEANED.includes(String(option)) : key === "strip_sep_token",
  );

/** Every option of the text section that is known. */
const TEXT: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ["context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "norm_kwargs"].map((key) => [
      key,
      any,
    ]),
  ),
  ...CUSTOM_BLOCKS,
  ls_init_value: any,
  output_tokens: any,
  hf_tokenizer_name: any,
  tokenizer_mode: { why: "its texts are tokenized in a way that is not known here" },
  tokenizer_kwargs: { ok: isKnownTokenizer, why: "its tokenizer has options that are not known here" },
  pad_id: any,
  eos_id: any,
  no_causal_mask: any,
  final_ln_after_pool: any,
  proj_bias: any,
  proj_type: only(["linear", "none"], "its last map is not linear"),
  pool_type: only(["argmax", "eos", "last"], "it pools in a way that is not known here"),
  act_kwargs: { ok: isTanh, why: "it changes its activation's parameters" },
  embed_cls: any,
  hf_model_name: any,
  hf_tower: any,
  hf_model_pretrained: any,
  hf_proj_type: any,
  hf_pooler_type: any,
};

/** Options beside the two sections. */
const MODEL: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    [
      "embed_dim",
      "quick_gelu",
      "vision_cfg",
      "text_cfg",
      "custom_text",
      "init_logit_scale",
      "init_logit_bias",
    ].map((key) => [key, any]),
  ),
  nonscalar_logit_scale: any,
  // A caption decoder reads the image's tokens; it has no part in the embedding.
  multimodal_cfg: any,
};

const RESNET =
  "its image tower is a ResNet, made of convolutions with one attention layer at the end that pools: it has no layers of attention heads";

/** A kind of network whose heads, if it has any, have no exact share of the embedding. */
interface Family {
  /** How timm's names of it start. */
  readonly timm?: string;
  /** OpenCLIP's names of architectures that have it. */
  readonly names: RegExp;
  readonly why: string;
}

const FAMILIES: readonly Family[] = [
  { names: /^RN\d+(x\d+)?(-quickgelu)?$/i, why: RESNET },
  {
    timm: "resnet",
    names: /^resnet/i,
    why: "its image tower is a ResNet, made of convolutions: it has no attention heads",
  },
  {
    timm: "convnext",
    names: /^convnext/i,
    why: "its image tower is a ConvNeXt, made of convolutions: it has no attention heads",
  },
  {
    timm: "fastvit",
    names: /^MobileCLIP2?-S\d$/i,
    why: "its image tower is a FastViT: what its few attention layers write goes through convolutions with activations before the embedding, so no head has an exact share",
  },
  {
    timm: "swin",
    names: /^swin/i,
    why: "its image tower is a Swin: it merges tokens between its stages, with a normalisation each time, which is not taken apart here",
  },
];

/**
 * Why models of an architecture are refused whatever their weights, as far as OpenCLIP's name of it alone tells; undefined for
 * any other.
 */
export const whyNameRefused = (architecture: string): string | undefined =>
  FAMILIES.find(({ names }) => names.test(architecture))?.why;

/**
 * Refuses a config whose image tower is of a kind that is not taken apart here.
 * @param json the parsed `open_clip_config.json`, not yet known to be one
 * @throws `MODEL_UNSUPPORTED` with the reason
 */
export function refuseUnsupported(name: string, json: unknown): void {
  const model = sectionOf(sectionOf(json).model_cfg);
  const vision = sectionOf(model.vision_cfg);
  const timm = vision.timm_model_name;
  if (typeof timm === "string" && !isOff(timm)) {
    const family = FAMILIES.find(({ timm: prefix }) => prefix !== undefined && timm.startsWith(prefix));
    if (family) throw unsupported(name, family.why);
    const tower = { ...TIMM_TOWERS[timm], ...sectionOf(vision.timm_tower) };
    if (!("width" in tower)) {
      throw unsupported(name, `its image tower is timm's ${JSON.stringify(timm)}, which is not known here`, {
        hint: "If it is a ViT, vision_cfg.timm_tower can say what the name stands for (docs/models.md).",
      });
    }
    // These are normalised at every token anew, and are frozen as they were at the one that is read.
    if ((tower.attentionNorm || tower.postNorm) && tower.pooling !== "cls")
      throw unsupported(
        name,
        `the norm of what the heads of timm's ${timm} output cannot be taken apart here other than at a CLS token`,
      );
    if (tower.pool !== vision.timm_pool) {
      const asked = JSON.stringify(vision.timm_pool ?? "avg");
      throw unsupported(
        name,
        `its config pools timm's ${timm} with ${asked}, not with ${JSON.stringify(tower.pool)}`,
      );
    }
  } else if (Array.isArray(vision.layers)) throw unsupported(name, RESNET);
  refuseOptions(name, model, MODEL);
  refuseOptions(name, vision, VISION);
  if (vision.attentional_pool === true && vision.pool_type === "avg")
    throw unsupported(name, "it pools twice, with attention and by averaging (pool_type)");
}

function refuseOptions(name: string, section: Section, rules: Readonly<Record<string, Rule>>): void {
  const problem = problemOf(section, rules);
  if (problem) throw unsupported(name, problem);
}

/** What is wrong with a section, if anything. */
function problemOf(section: Section, rules: Readonly<Record<string, Rule>>): string | undefined {
  for (const [key, value] of Object.entries(section)) {
    if (isOff(value)) continue;
    const rule = rules[key];
    if (!rule) return `its config has the option "${key}", which is not known here`;
    if (!rule.ok?.(value)) return `${rule.why} (${key})`;
  }
  return undefined;
}

/** Of a language model's text tower: its pooler and what follows. */
const LANGUAGE: Readonly<Record<string, Rule>> = {
  hf_pooler_type: only(
    ["mean_pooler", "cls_pooler", "cls_last_hidden_state_pooler"],
    "it pools in a way that is not known here",
  ),
  hf_proj_type: only(["linear", "mlp"], "its last map is not known here"),
};

/** Why a text tower is not computed here, if it is not: images alone can be used then. */
export function textProblem(text: Section): string | undefined {
  const { hf_model_name: language, embed_cls } = text;
  if (typeof language === "string") {
    if (!isOff(text.hf_tower) || languageModelNamed(language)) {
      const { hf_pooler_type, hf_proj_type } = text;
      return problemOf({ hf_pooler_type, hf_proj_type }, LANGUAGE);
    }
    return `it is the language model ${language} (hf_model_name), which is not known here`;
  }
  if (embed_cls === true && !(isOff(text.no_causal_mask) && (isOff(text.pad_id) || text.pad_id === 0)))
    return "it pools at a token of its own (embed_cls) with a mask that is not known here";
  return problemOf(text, TEXT);
}

/** The error for a model of a kind that is not taken apart here. */
export const unsupported = (
  name: string,
  why: string,
  options?: { readonly hint: string },
): ClipInterpretError =>
  new ClipInterpretError("MODEL_UNSUPPORTED", `${name} cannot be decomposed exactly: ${why}`, options);

const sectionOf = (value: unknown): Section =>
  typeof value === "object" && value !== null ? (value as Section) : {};

/** null, undefined, false and {} mean that an option is off. */
const isOff = (value: unknown) =>
  value == null || value === false || (typeof value === "object" && Object.keys(value).length === 0);
