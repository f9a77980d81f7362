import { type Piece, sizeOf } from "../checkpoint/pieces.ts";
import { writePieces } from "../checkpoint/write-pieces.ts";
import type { PreprocessConfig } from "../image/types.ts";
import { encoderGraph } from "../onnx/encoder.ts";
import { beside, inside, type PlaceWeight } from "../onnx/tensors.ts";
import { textEncoderGraph } from "../onnx/text.ts";
import { nameOnDisk } from "../support/disk-paths.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { ClipModel } from "./clip-model.ts";
import { type ComponentSet, headName } from "./components.ts";
import { embeddingEdit } from "./embedding-edit.ts";
import { textTower } from "./text-tower.ts";

/** What the ablated heads' means were taken over. */
export interface Calibration {
  /** SHA-256 of the index (`hashIndex`), or another name for the images. */
  readonly index: string;
  readonly images: number;
}

/** How an encoder is exported. */
export interface ExportEncoderOptions extends WorkOptions {
  /** Heads whose direct effect is left out, with weights; none by default, which is the plain encoder. */
  readonly set?: ComponentSet;
  /** `[D]`: what takes their place, Σ w_h·mean(head_h): mean-ablation. Without it nothing does: zero-ablation. */
  readonly mean?: Float64Array;
  readonly calibration?: Calibration;
  /** `inside` the file (the default up to 2 GB, protobuf's limit), or `beside` it in `<file>.data`. */
  readonly weights?: "inside" | "beside";
}

/** What was written. */
export interface ExportedEncoder {
  readonly files: readonly string[];
  readonly bytes: number;
  /** The properties that the file carries. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Protobuf's limit is 2^31 bytes for the whole file. */
const MOST_INSIDE = 2 ** 31 - 2 ** 20;

/**
 * Exports the image tower as an ONNX file of standard operators (opset 17) that any ONNX runtime runs: `pixels`
 * [b, 3, s, s], normalised, to `embedding` [b, D] = e/‖e‖ − Σ_h w_h·head_h + mean. This is direct ablation as in
 * "Interpreting CLIP's Image Representation via Text-Based Decomposition" (§3.2), done once and for all.
 *
 * What it gives is used as an image embedding is: its product with a text's unit embedding is the score. Its length is
 * not 1 where heads are left out, which changes no ranking of texts for an image.
 *
 * Weights keep their type, half-precision ones are cast as they are read; everything is computed in float32, whatever
 * precision the model was loaded in.
 *
 * @param path the `.onnx` file; replaced when it exists
 * @throws `HEADS_INVALID` for MLP terms, `OUTPUT_UNWRITABLE`, `CANCELLED`
 * @example
 * ```ts
 * import { openIndex, openModel, parseHeads } from "clip-interpret";
 * import { exportEncoder, meanContribution } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const set = parseHeads(model, "L2.H3,L3.H1");
 * const mean = await meanContribution(index, model.geometry, set);
 * console.log((await exportEncoder(model, "out/encoder.onnx", { set, mean })).files); // → [ 'out/encoder.onnx' ]
 * ```
 */
export async function exportEncoder(
  model: ClipModel,
  path: string,
  { set = { heads: [], mlps: [] }, mean, calibration, weights, signal }: ExportEncoderOptions = {},
): Promise<ExportedEncoder> {
  const { config, geometry, checkpoint } = model;
  const edit =
    set.heads.length + set.mlps.length > 0 || mean ? embeddingEdit(geometry, set, mean) : undefined;
  const metadata = await describe(model, set, mean !== undefined, calibration);
  const graph = (place: PlaceWeight) =>
    encoderGraph(config, checkpoint.weights.vision, edit, place, metadata);
  return { ...(await writeGraph(path, graph, weights, signal)), metadata };
}

/** Writes a graph with its weights in it, or beside it where they are asked to be or too large. */
async function writeGraph(
  path: string,
  graph: (place: PlaceWeight) => Piece[],
  weights: ExportEncoderOptions["weights"],
  signal: AbortSignal | undefined,
): Promise<Pick<ExportedEncoder, "files" | "bytes">> {
  const dataFile = `${path}.data`;
  const data: Piece[] = [];
  const write = (place: "inside" | "beside") =>
    graph(place === "inside" ? inside : beside(nameOnDisk(dataFile), data));
  let pieces = write(weights ?? "inside");
  if (weights === undefined && sizeOf(pieces) > MOST_INSIDE) pieces = write("beside");
  if (data.length > 0) await writePieces(dataFile, data, signal);
  await writePieces(path, pieces, signal);
  return { files: data.length > 0 ? [path, dataFile] : [path], bytes: sizeOf(pieces) + sizeOf(data) };
}

/**
 * Exports the text tower as an ONNX file of standard operators (opset 17), for beside the image tower's: `ids` int64 [t, c], token
 * ids from start to end token, shorter texts filled up behind it as the model's tokenizer does, to `embedding` [t, D] of
 * length 1. Of a language model's encoder what fills a text up must be its padding, whose id the file names. Its product with the image encoder's output is the cosine.
 *
 * @param path the `.onnx` file; replaced when it exists
 * @throws `TEXTS_UNSUPPORTED`, `OUTPUT_UNWRITABLE`, `CANCELLED`
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { exportTextEncoder } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { files, metadata } = await exportTextEncoder(model, "out/text.onnx");
 * console.log(files, metadata.pooled_at); // → [ 'out/text.onnx' ] the highest id
 * ```
 */
export async function exportTextEncoder(
  model: ClipModel,
  path: string,
  { weights, signal }: Pick<ExportEncoderOptions, "weights" | "signal"> = {},
): Promise<ExportedEncoder> {
  const { checkpoint, config, name } = model;
  const tower = textTower(checkpoint);
  const towerWeights = checkpoint.weights.text!;
  const { pooling } = checkpoint.textRules;
  const endRule = typeof pooling === "number" ? pooling : "highest";
  const atEnd = endRule === "highest" ? "the highest id" : `the first id that is ${endRule}`;
  const metadata = {
    ...{
      model: name,
      weights_sha256: await model.weightsHash(),
      context_length: String(tower.contextLength),
    },
    pooled_at: tower.pooling === "end" ? atEnd : POOLED_AT[tower.pooling],
    ...(tower.language && { padding_id: String(tower.language.padId) }),
    output: "of length 1",
  };
  const graph = (place: PlaceWeight) =>
    textEncoderGraph({ text: tower, embedDim: config.embedDim }, towerWeights, endRule, place, metadata);
  return { ...(await writeGraph(path, graph, weights, signal)), metadata };
}

/** Where a text is pooled that is not at its end token. */
const POOLED_AT = {
  last: "the last token",
  class: "the last token, which the graph adds",
  first: "the first token",
  mean: "the mean of all tokens but padding",
} as const;

async function describe(
  model: ClipModel,
  set: ComponentSet,
  toMean: boolean,
  calibration?: Calibration,
): Promise<Record<string, string>> {
  const { size, mean, std } = model.config.preprocess;
  const heads = set.heads.map(({ layer, head, weight }) =>
    weight === 1 ? headName(layer, head) : `${headName(layer, head)}*${weight}`,
  );
  return {
    model: model.name,
    weights_sha256: await model.weightsHash(),
    ablated_heads: heads.join(","),
    ablation: heads.length === 0 ? "none" : `direct effect, to ${toMean ? "the mean" : "zero"}`,
    ...(calibration && {
      calibration_sha256: calibration.index,
      calibration_images: String(calibration.images),
    }),
    preprocessing: preprocessingWords(model.config.preprocess),
    image_size: String(size),
    image_mean: mean.join(","),
    image_std: std.join(","),
    output: "divided by the unedited embedding's length; of length 1 only where nothing is ablated",
  };
}

const RESIZING = {
  shortest: "shortest side",
  longest: "longest side",
  squash: "both sides",
} as const;

/** Preprocessing, in the order of its steps. */
function preprocessingWords({
  size,
  resizeMode,
  resizeTo = size,
  interpolation = "bicubic",
  order,
}: PreprocessConfig): string {
  const resize =
    resizeMode === "none" ? [] : [`${interpolation} resize, ${RESIZING[resizeMode]} to ${resizeTo}`];
  const margin = order === "transformers" ? ", margin rounded down" : "";
  const crop = `centre crop ${size}x${size}${margin}`;
  return ["RGB", ...resize, crop, "/255", "(x - mean) / std"].join("; ");
}
