import { hashWeights, watchWeights } from "../checkpoint/fingerprint.ts";
import { requireFinite } from "../checkpoint/finite.ts";
import type { Activation, ModelConfig, Neuron } from "../checkpoint/model-config.ts";
import { type Checkpoint, readCheckpoint } from "../checkpoint/read-checkpoint.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import { tensorsIn } from "../checkpoint/weights.ts";
import { knownActivation } from "../hub/known-models.ts";
import type { DecodeOptions } from "../image/decode-options.ts";
import type { Preprocessed } from "../image/show.ts";
import { type Algebra, createAlgebra } from "../onnx/algebra.ts";
import type { Precision } from "../onnx/linear.ts";
import { createMatMul, type MatMul } from "../onnx/matmul.ts";
import { takesRegisters } from "../onnx/registers.ts";
import type { Session, SessionOptions } from "../onnx/session.ts";
import { textGraph } from "../onnx/text.ts";
import { visionGraph } from "../onnx/vision.ts";
import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import { once, sharedCache } from "../support/shared.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type DecomposeOptions, decompose, type TokenDecomposition } from "./decompose.ts";
import { type DecomposeTokensOptions, decomposeTokens } from "./decompose-tokens.ts";
import { encodeTokens } from "./encode-tokens.ts";
import { type HeadGeometry, loadGeometry, loadTextGeometry } from "./geometry.ts";
import type { Platform } from "./platform.ts";
import { textTower, tokenizerOf } from "./text-tower.ts";
import { type ReadTokensOptions, readTokens, type TokenOutputs } from "./token-outputs.ts";

/** How a model computes. */
export interface ModelOptions extends SessionOptions {
  /** `fp32` (the default), or `int8`: query, key, value and MLP products of both towers in eight-bit integers. */
  readonly precision?: Precision;
  /** The activation of both towers, whatever the config says. */
  readonly activation?: Activation;
  /**
   * Neurons that write into a register instead of patches: one token more, behind the patches, which no map shows ("Vision
   * Transformers Don't Need Trained Registers", Jiang et al. 2025). The network computes something else then.
   */
  readonly registers?: readonly Neuron[];
}

/** A CLIP ViT, loaded: texts and pixels in, embeddings and exact decompositions out. */
export interface ClipModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** Where its weights lie: what exports copy. */
  readonly checkpoint: Checkpoint;
  /** Multiplies cosines before a zero-shot softmax. */
  readonly logitScale: number;
  /** Of a model that was trained with a sigmoid: sigmoid(scale·cos + bias) is the probability that a text fits. */
  readonly logitBias?: number;
  readonly geometry: HeadGeometry;
  /** What its towers are computed in. Anything but `fp32` is an approximation, and every result must say so. */
  readonly precision: Precision;
  /** Where its image tower is computed. */
  readonly device: string;
  /** SHA-256 (hex) of the weights: what stored results are tied to. Reads the whole checkpoint, once. */
  weightsHash(): Promise<string>;
  /**
   * What it is shown of a picture.
   * @param source where the picture is, or the bytes of its file
   * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`
   */
  preprocess(source: string | Uint8Array, options?: DecodeOptions): Promise<Preprocessed>;
  /** ONNX Runtime's matrix product, with this model's threads. */
  readonly matmul: MatMul;
  /** ONNX Runtime's products in float64. Threads are not the model's: 0, the default, takes every core. Whoever opens it releases it. */
  openAlgebra(options?: Pick<SessionOptions, "threads">): Promise<Algebra>;
  /** @throws `TEXTS_UNSUPPORTED`, `TOKENIZER_INVALID`, `INPUT_NOT_FOUND` */
  tokenizer(): Promise<Tokenizer>;
  /**
   * Token ids from start token to end token; of a text tower that reads what is behind them, filled up. A text that is cut off is
   * reported as a `TEXT_TRUNCATED` warning.
   */
  tokenizeTexts(texts: readonly string[], options?: WorkOptions): Promise<number[][]>;
  /** Raw text embeddings, [t, D]. A text that is cut off is reported as a `TEXT_TRUNCATED` warning. */
  encodeTexts(texts: readonly string[], options?: WorkOptions): Promise<Float32Array>;
  /** Raw text embeddings, [t, D], of token ids as `tokenizeTexts` gives them. @throws `TEXTS_UNSUPPORTED` */
  encodeTokens(texts: readonly (readonly number[])[], options?: WorkOptions): Promise<Float32Array>;
  /**
   * Decomposes a batch of preprocessed images; an image's numbers are the same bit for bit in any batch.
   * @param pixels [b, 3, size, size], normalised
   * @throws `PIXELS_MISMATCH`; `SUM_MISMATCH` when the self-check fails
   */
  decompose(pixels: Float32Array, options?: DecomposeOptions): Promise<TokenDecomposition>;
  /**
   * How heads of the text tower write into the joint space: the same shape as `geometry`, so that everything that reads an
   * image's decomposition reads a text's. Computed once.
   * @throws `TEXTS_UNSUPPORTED`
   */
  textGeometry(): Promise<HeadGeometry>;
  /**
   * Decomposes texts of one length, given as token ids: at the token where texts are pooled, what every head read of every token.
   * @throws `TEXTS_UNSUPPORTED`; `SUM_MISMATCH` when the self-check fails
   */
  decomposeTokens(
    texts: readonly (readonly number[])[],
    options?: DecomposeTokensOptions,
  ): Promise<TokenDecomposition>;
  /** What other methods of segmentation read: every token's attention and output. Pixels as for `decompose`. */
  readTokens(pixels: Float32Array, options?: ReadTokensOptions): Promise<TokenOutputs>;
  /** Bytes of weights that its graphs hold in memory now. */
  loadedBytes(): number;
  /** Frees the memory of its graphs; what is asked of it afterwards loads them again, if its files are still the same. */
  release(): Promise<void>;
}

/** Graphs of one model that are kept ready: several layers' tokens, outputs, with gates. */
const MOST_SESSIONS = 16;

/** A model's files, and what is known of them. */
export interface ModelPlace {
  readonly folder: string;
  /** What to call it in messages. */
  readonly name: string;
  /** Names or hub ids of a known model, which say which activation its weights need where the config does not. */
  readonly knownAs: readonly string[];
}

/**
 * Makes a model of a checkpoint's folder, wherever it runs. Graphs and the tokenizer are loaded when first needed and kept.
 *
 * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `CONFIG_INVALID`, `CHECKPOINT_INVALID`, `CHECKPOINT_MISMATCH`,
 *   `DEVICE_UNAVAILABLE`; later, when weights that were not yet loaded were replaced meanwhile, `CHECKPOINT_CHANGED`
 */
export async function assembleModel(
  platform: Platform,
  { folder, name, knownAs }: ModelPlace,
  { precision = "fp32", activation, registers = [], ...options }: ModelOptions = {},
): Promise<ClipModel> {
  const { device = "cpu" } = options;
  if (precision !== "fp32" && device !== "cpu")
    throw new ClipInterpretError(
      "DEVICE_UNAVAILABLE",
      `${precision} is computed on the CPU, not on ${device}`,
    );
  const { bytes, openSession } = platform;
  const [known] = knownAs.flatMap((text) => knownActivation(text) ?? []);
  const checkpoint = await readCheckpoint(bytes, folder, name, {
    ...(activation && { activation }),
    ...(known && { knownActivation: known }),
  });
  const { weights } = checkpoint;
  const config = registers.length > 0 ? withRegister(checkpoint, registers) : checkpoint.config;
  const requireUnchanged = await watchWeights(bytes, weights);
  const requireNumbers = once(() => requireFinite(bytes, weights));
  const sessions = sharedCache<Session>(MOST_SESSIONS);
  const loaded = new Map<string, number>();
  const session = (key: string, graph: () => Uint8Array, on: SessionOptions): Promise<Session> =>
    sessions.get(key, async () => {
      await requireUnchanged();
      // Rounded to integers, a NaN becomes some number, which no sum tells from others.
      if (precision !== "fp32") await requireNumbers();
      const tower = tensorsIn(key.startsWith("text") ? weights.text : weights.vision);
      const created = await openSession(graph(), tower, on);
      await requireUnchanged();
      loaded.set(key, bytesInMemory(tower));
      return created;
    });
  // ONNX Runtime 1.30's fused attention on WebGPU is off by percents on some shapes, and no sum can tell: it adds
  // up what the attention gave.
  const attention = device === "cpu" ? "fused" : "products";
  // On the CPU whatever the device: what checks the image tower's numbers, and the text tower, which no sum checks.
  const onCpu = { ...options, device: "cpu" };
  const matmul = await createMatMul(openSession, onCpu);
  const geometry = await loadGeometry(openSession, checkpoint, onCpu);
  await requireUnchanged();
  const textParts = once(async () => {
    const tower = textTower(checkpoint);
    await requireUnchanged();
    return loadTextGeometry(openSession, tower, config.embedDim, weights.text!, onCpu);
  });
  const model: ClipModel = {
    name: checkpoint.name,
    config,
    checkpoint,
    logitScale: checkpoint.logitScale,
    ...(checkpoint.logitBias !== undefined && { logitBias: checkpoint.logitBias }),
    geometry,
    precision,
    device,
    preprocess: (source, how) => platform.preprocess(source, config.preprocess, how),
    matmul,
    openAlgebra: (how) => createAlgebra(openSession, how),
    weightsHash: once(async () => {
      const hash = await hashWeights(bytes, weights);
      await requireUnchanged();
      return hash;
    }),
    tokenizer: once(() => tokenizerOf(platform, checkpoint)),
    tokenizeTexts: (texts, work) => tokenizeWith(model, texts, work),
    async encodeTexts(texts, work) {
      return model.encodeTokens(await model.tokenizeTexts(texts, work), work);
    },
    async encodeTokens(texts, work) {
      const tower = textTower(checkpoint);
      const towerWeights = weights.text!;
      const graph = () =>
        textGraph({ text: tower, embedDim: config.embedDim }, towerWeights, { kind: "plain", precision });
      const text = await session("text", graph, onCpu);
      return blamingWeights(bytes, towerWeights, () =>
        encodeTokens(text, texts, tower, config.embedDim, work),
      );
    },
    textGeometry: async () => (await textParts()).geometry,
    async decomposeTokens(texts, work = {}) {
      const tower = textTower(checkpoint);
      const towerWeights = weights.text!;
      const { tokenLayers = [] } = work;
      const how = { kind: "decompose", tokenLayers, precision } as const;
      const graph = () => textGraph({ text: tower, embedDim: config.embedDim }, towerWeights, how);
      const text = await session(`text ${tokenLayers.join()}`, graph, onCpu);
      const parts = await textParts();
      return blamingWeights(bytes, towerWeights, () =>
        decomposeTokens(text, matmul, tower, parts, texts, work),
      );
    },
    async decompose(pixels, work = {}) {
      const { tokenLayers = [], outputLayers = [], gate } = work;
      if (gate && tokenLayers.length > 0) throw new RangeError("a gated network has no token terms");
      const kind = { kind: "decompose", tokenLayers, outputLayers, gated: gate !== undefined } as const;
      const key = `vision ${tokenLayers.join()} ${outputLayers.join()} ${kind.gated}`;
      const how = { ...kind, precision, attention } as const;
      const vision = await session(key, () => visionGraph(config, weights.vision, how), options);
      return blamingWeights(bytes, weights.vision, () =>
        decompose(vision, matmul, config, geometry, pixels, work),
      );
    },
    async readTokens(pixels, work = {}) {
      const { features = [] } = work;
      const kind = { kind: "tokens", tokenLayers: [], gated: false, features } as const;
      const key = ["tokens", ...features.map((feature) => feature.name)].join(" ");
      const how = { ...kind, precision, attention } as const;
      const vision = await session(key, () => visionGraph(config, weights.vision, how), options);
      return blamingWeights(bytes, weights.vision, () => readTokens(vision, config, pixels, work));
    },
    loadedBytes: () => [...loaded.values()].reduce((sum, bytes) => sum + bytes, 0),
    async release() {
      loaded.clear();
      const all = await Promise.allSettled(sessions.clear());
      for (const result of all) if (result.status === "fulfilled") await result.value.release();
    },
  };
  return model;
}

/** A model's config with a register. @throws `MODEL_UNSUPPORTED`, `USAGE` for neurons that it does not have */
function withRegister({ name, config, weights }: Checkpoint, registers: readonly Neuron[]): ModelConfig {
  const { vision } = config;
  if (!takesRegisters(config, weights.vision)) {
    const why = "its image tower reads no CLS token, or its blocks are not attention and an MLP alone";
    throw new ClipInterpretError("MODEL_UNSUPPORTED", `${name} cannot be given a register: ${why}`);
  }
  for (const { layer, neuron } of registers) {
    const count = weights.vision.blocks[layer]?.fc1.weight.shape[0] ?? 0;
    if (layer < vision.layers - 1 && neuron < count) continue;
    throw new ClipInterpretError(
      "USAGE",
      `${name} has no neuron L${layer}.N${neuron} that writes into patches`,
      {
        hint: "Behind the last layer nothing reads patches: its neurons need no register.",
      },
    );
  }
  return { ...config, vision: { ...vision, tokens: vision.tokens + 1, registers } };
}

/** Texts that are named when they are cut off; of more, only their number is told. */
const NAMED = 5;

/** Token ids of texts; those that are cut off are reported. */
export async function tokenizeWith(
  model: Pick<ClipModel, "tokenizer">,
  texts: readonly string[],
  { report }: WorkOptions = {},
): Promise<number[][]> {
  const tokenizer = await model.tokenizer();
  const encoded = texts.map((text) => tokenizer.encode(text));
  const warn = (message: string) => report?.({ type: "warning", code: "TEXT_TRUNCATED", message });
  const cut = texts.flatMap((text, i) => (encoded[i].truncated ? [text] : []));
  for (const text of cut.slice(0, NAMED))
    warn(`only the first ${tokenizer.contextLength} tokens are read of "${text.slice(0, 60)}…"`);
  if (cut.length > NAMED) warn(`so are ${cut.length - NAMED} more of ${texts.length} texts`);
  return encoded.map(({ ids }) => ids);
}

/** Bytes of weights as ONNX Runtime holds them, in float32. */
const bytesInMemory = (tensors: readonly TensorRef[]): number =>
  tensors.reduce((sum, { shape }) => sum + 4 * shape.reduce((all, size) => all * size, 1), 0);

/** Runs work whose numbers turned out to be none, and names the weight that was to blame. */
async function blamingWeights<T>(
  bytes: Bytes,
  weights: Parameters<typeof requireFinite>[1],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClipInterpretError && error.code === "SUM_MISMATCH")
      await requireFinite(bytes, weights);
    throw error;
  }
}
