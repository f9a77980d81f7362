import type { PreprocessConfig } from "../image/types.ts";

/** GELU (erf) or OpenAI's x·sigmoid(1.702x). */
export const ACTIVATIONS = ["gelu", "quick_gelu"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** One transformer. `width = heads · headDim`. */
export interface TowerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly mlpWidth: number;
  readonly activation: Activation;
  /** ε of every layer normalisation. */
  readonly epsilon: number;
}

/** The image transformer: `tokens = grid² + 1`, the CLS token first. */
export interface VisionConfig extends TowerConfig {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly grid: number;
  readonly tokens: number;
}

/** The text transformer: causal, pooled at the end token, which has the highest id. */
export interface TextConfig extends TowerConfig {
  readonly contextLength: number;
  readonly vocabSize: number;
}

/** Everything about a CLIP ViT that its weights do not say, whichever format it came in. */
export interface ModelConfig {
  /** D, the size of the joint embedding space. */
  readonly embedDim: number;
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  readonly preprocess: PreprocessConfig;
}

/** Mean and standard deviation of OpenAI's training images, the default of every CLIP. */
export const OPENAI_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
export const OPENAI_STD = [0.26862954, 0.26130258, 0.27577711] as const;
