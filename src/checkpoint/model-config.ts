import type { PreprocessConfig } from "../image/types.ts";

/** What a user may choose: GELU (erf) or OpenAI's x·sigmoid(1.702x). */
export const ACTIVATIONS = ["gelu", "quick_gelu"] as const;
export type Activation = (typeof ACTIVATIONS)[number];
/** Every activation that a tower may have; `gelu_tanh` is GELU's approximation, `silu` is x·sigmoid(x). */
export const TOWER_ACTIVATIONS = [...ACTIVATIONS, "gelu_tanh", "silu", "relu"] as const;
export type TowerActivation = (typeof TOWER_ACTIVATIONS)[number];

/** One transformer. `width = heads · headDim`. */
export interface TowerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly mlpWidth: number;
  readonly activation: TowerActivation;
  /** ε of every layer normalisation. */
  readonly epsilon: number;
  /** Whether what attention and MLP add is scaled by learnt numbers. */
  readonly layerScale?: boolean;
}

/**
 * How the tokens of the last layer become one row:
 *
 * - `cls`: the CLS token, then the last norm
 * - `mean-norm`: the mean over patches, then the last norm
 * - `norm-mean`: the last norm of every patch, then the mean
 * - `attention`: the last norm of every token, then attention from learnt queries, with several heads of its own
 */
export type Pooling = "cls" | "mean-norm" | "norm-mean" | "attention";

/** The pool of a tower that pools by attention. */
export interface PoolConfig {
  readonly heads: number;
  /** Width of the MLP behind it, whose output is added to the pool's; absent where there is none. */
  readonly mlpWidth?: number;
}

/** Positions as rotations of queries and keys: angle = position / 10000^(k/bands), rows and columns in turn. */
export interface RotaryConfig {
  /** Grid that positions are scaled to. */
  readonly referenceGrid: number | null;
  readonly offset: number;
  /** Which coordinate the first half of a head's angles is of. */
  readonly first: "row" | "column";
}

/** One number of an MLP's hidden layer. */
export interface Neuron {
  readonly layer: number;
  readonly neuron: number;
}

/** The image transformer: `tokens = prefix + grid²`, the CLS token first where there is one, a register last where one is added. */
export interface VisionConfig extends TowerConfig {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly grid: number;
  readonly tokens: number;
  /** Tokens before the patches: 1 with a CLS token, else 0. */
  readonly prefix: 0 | 1;
  /** Whether tokens are normalised before the first layer. */
  readonly lnPre: boolean;
  readonly pooling: Pooling;
  readonly pool?: PoolConfig;
  readonly rotary?: RotaryConfig;
  /** Neurons that write into a token of their own, the last, and no longer into patches (`onnx/registers.ts`). */
  readonly registers?: readonly Neuron[];
}

/** The text transformer. */
export interface TextConfig extends TowerConfig {
  readonly contextLength: number;
  readonly vocabSize: number;
  /** Whether a token sees what stands before it alone. */
  readonly causal: boolean;
  /**
   * Where texts are pooled: at their end token; at the last token of the context, to which every text is filled up; at a class
   * token that is put behind every text, as CoCa does; at their first token, or as the mean of all.
   */
  readonly pooling: "end" | "last" | "class" | "first" | "mean";
  /** Set of an encoder of BERT's kind or another language model's. */
  readonly language?: LanguageConfig;
}

/** What a language model's encoder has beside a transformer's sizes. */
export interface LanguageConfig {
  /** Rows of the table of positions; absent where they are relative. */
  readonly positions?: number;
  /** Relative positions: rows of their table, half of them for what stands behind a token, and where the last one begins. */
  readonly relative?: { readonly buckets: number; readonly farthest: number };
  /** Rows of the table of token types, where there is one. */
  readonly types?: number;
  /** The token that nothing attends to and no mean counts. */
  readonly padId: number;
  /**
   * `bert` counts positions from 0 on, the others from `padId` + 1 on, passing padding over. `m2m100` has sines for positions,
   * words times √width, and its norms where a CLIP's are. `t5` has its norms there too; they divide by root mean squares, its
   * MLPs are gated, its logits are not divided by √d_h, and positions are relative.
   */
  readonly family: "bert" | "roberta" | "m2m100" | "t5";
  /** Whether the first token goes through a linear map and tanh. */
  readonly pooler: boolean;
  /** What maps it into the joint space: nothing, one linear map, two with GELU between, or a norm with two linear maps. */
  readonly projection: "none" | "linear" | "mlp" | "normed";
}

/** A text tower that is not computed here: the model's images alone can be used. */
export interface NoTexts {
  /** Why, in the words of an error: "its text tower is …". */
  readonly unsupported: string;
}

/** Everything about a CLIP that its weights do not say, whichever format it came in. */
export interface ModelConfig {
  /** D, the size of the joint embedding space. */
  readonly embedDim: number;
  readonly vision: VisionConfig;
  readonly text: TextConfig | NoTexts;
  readonly preprocess: PreprocessConfig;
}

/** Whether a model reads texts. */
export const readsTexts = (text: ModelConfig["text"]): text is TextConfig => !("unsupported" in text);

/** Mean and standard deviation of OpenAI's training images, the default of every CLIP. */
export const OPENAI_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
export const OPENAI_STD = [0.26862954, 0.26130258, 0.27577711] as const;
