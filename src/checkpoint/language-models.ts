import { z } from "zod";
import { TOWER_ACTIVATIONS } from "./model-config.ts";

const size = z.int().min(1).max(1_000_000);

/**
 * What a name of a language model on the Hugging Face Hub stands for: the facts of an encoder that its weights do not say. `text_cfg.hf_tower` of an OpenCLIP config may give any of them, for a language model whose name is not known here.
 */
export const languageModelSchema = z
  .strictObject({
    family: z.enum(["bert", "roberta", "m2m100", "t5"]),
    width: size,
    layers: size,
    heads: size,
    mlpWidth: size,
    vocabSize: size,
    positions: size.optional().describe("rows of its table of positions; a T5 has none"),
    relative: z
      .strictObject({ buckets: size, farthest: size })
      .optional()
      .describe("of a T5: rows of its table of relative positions, and from where on all distances are one"),
    types: size.optional().describe("rows of its table of token types, of which the first is used"),
    epsilon: z.number().positive(),
    activation: z.enum(TOWER_ACTIVATIONS),
    padId: z.int().nonnegative().describe("the token that fills texts up, which nothing attends to"),
  })
  .refine(
    ({ family, positions, relative }) => (family === "t5" ? relative && !positions : positions && !relative),
    "a T5 has relative positions, every other family a number of positions",
  );
/** One language model. */
export type LanguageModel = z.infer<typeof languageModelSchema>;

const BASE = { width: 768, layers: 12, heads: 12, mlpWidth: 3072 } as const;
const LARGE = { width: 1024, layers: 24, heads: 16, mlpWidth: 4096 } as const;
const BERT = {
  family: "bert",
  ...{ positions: 512, types: 2, epsilon: 1e-12, padId: 0 },
  activation: "gelu",
} as const;
const ROBERTA = {
  family: "roberta",
  ...{ positions: 514, types: 1, epsilon: 1e-5, padId: 1 },
  activation: "gelu",
} as const;

const NLLB = {
  family: "m2m100",
  ...{ width: 1024, heads: 16, vocabSize: 256206, positions: 1026, epsilon: 1e-5, padId: 1 },
  activation: "relu",
} as const;

const MT5 = {
  family: "t5",
  ...{ vocabSize: 250112, relative: { buckets: 32, farthest: 128 }, epsilon: 1e-6, padId: 0 },
  activation: "gelu_tanh",
} as const;

const KNOWN: Readonly<Record<string, LanguageModel>> = {
  "roberta-base": { ...ROBERTA, ...BASE, vocabSize: 50265 },
  "roberta-large": { ...ROBERTA, ...LARGE, vocabSize: 50265 },
  "xlm-roberta-base": { ...ROBERTA, ...BASE, vocabSize: 250002 },
  "xlm-roberta-large": { ...ROBERTA, ...LARGE, vocabSize: 250002 },
  "bert-base-uncased": { ...BERT, ...BASE, vocabSize: 30522 },
  "bert-large-uncased": { ...BERT, ...LARGE, vocabSize: 30522 },
  "bert-base-cased": { ...BERT, ...BASE, vocabSize: 28996 },
  "bert-base-multilingual-cased": { ...BERT, ...BASE, vocabSize: 119547 },
  "google/mt5-base": { ...MT5, width: 768, layers: 12, heads: 12, mlpWidth: 2048 },
  "google/mt5-large": { ...MT5, width: 1024, layers: 24, heads: 16, mlpWidth: 2816 },
  "google/mt5-xl": { ...MT5, width: 2048, layers: 24, heads: 32, mlpWidth: 5120 },
  "facebook/nllb-200-distilled-600M": { ...NLLB, layers: 12, mlpWidth: 4096 },
  "facebook/nllb-200-distilled-1.3B": { ...NLLB, layers: 24, mlpWidth: 8192 },
};

/** The facts of a language model by its name on the hub, with or without the organisation that it has moved to. */
export const languageModelNamed = (name: string): LanguageModel | undefined =>
  KNOWN[name.replace(/^(FacebookAI|google-bert)\//, "")];
