/**
 * The library in a browser tab, without a server of its own: a model is read by HTTP ranges from wherever its files lie, and
 * runs in `onnxruntime-web`, which the page brings. What analyses return is what they return in Node.
 *
 * Work blocks the thread that it is done in, so a page does it in a Web Worker.
 */

import type { Search } from "../corpus/search.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import { openWebIndex as readWebIndex } from "../corpus/web-index.ts";
import { sharesTokenizer } from "../hub/tokenizer-needs.ts";
import { preprocessIn } from "../image/web-decode.ts";
import { assembleModel, type ClipModel, type ModelOptions } from "../model/clip-model.ts";
import type { Platform } from "../model/platform.ts";
import { type GpuRuntime, requireGpu, type WebRuntime, webSessions } from "../onnx/web-session.ts";
import { nameIn } from "../support/paths.ts";
import { type WebBytes, type WebBytesOptions, webBytes } from "../support/web-bytes.ts";
import { tokenizerFilesIn } from "../text/tokenizer-files.ts";

export { type ExplainOptions, explainImage } from "../analysis/explain/explain.ts";
export { findNeighbors, type NeighborOptions } from "../analysis/neighbors/neighbors.ts";
export { readComponents, readTokens } from "../analysis/read.ts";
export { type SegmentOptions, segmentImage } from "../analysis/segmentation/segmentation.ts";
export { checkDevice } from "../analysis/verify/device.ts";
export { type ExplainWordsOptions, explainWords } from "../analysis/words/words.ts";
export type { DecodeOptions } from "../image/decode-options.ts";
export type { Preprocessed, Rectangle } from "../image/show.ts";
export type { ClipModel, ModelOptions } from "../model/clip-model.ts";
export { allComponents, allHeads, type ComponentSet, parseHeads } from "../model/components.ts";
export { type DecomposedImage, decomposeImage } from "../model/decompose-image.ts";
export { type DecomposedText, decomposeText } from "../model/decompose-text.ts";
export { contrastProbe, textProbe } from "../model/probe.ts";
export type { ExplainResult } from "../results/explain.ts";
export type { NeighborsResult } from "../results/neighbors.ts";
export type { SegmentResult } from "../results/segment.ts";
export type { WordsResult } from "../results/words.ts";
export { ClipInterpretError } from "../support/errors.ts";
export { VERSION } from "../support/version.ts";
export type { Search, ShardedIndex };
export { type GpuRuntime, type WebBytes, type WebBytesOptions, type WebRuntime, webBytes };

/** Where a model is, and what runs it. */
export interface WebModelOptions extends Omit<ModelOptions, "device" | "threads"> {
  /** `onnxruntime-web`, with its `env.wasm` set as the page needs it; weights are fetched while it loads. */
  readonly runtime: WebRuntime | Promise<WebRuntime>;
  /**
   * `onnxruntime-web/webgpu`: the image tower is then computed on the GPU, and no other part. Hold what it computes to a model without
   * it (`checkDevice`) before it is used: drivers and browsers differ.
   */
  readonly gpu?: GpuRuntime | Promise<GpuRuntime>;
  /** What to call it; also which known model it is. Default: the last part of its address. */
  readonly name?: string;
  /** Where its files come from. Default: {@link webBytes}, which asks what is there. */
  readonly files?: WebBytes;
  /** Where `assets/tokenizer/clip-merges.txt.gz` of this package is, for a model without a tokenizer of its own. */
  readonly sharedTokenizer?: string;
}

/**
 * Opens a model by the address of its folder, such as `https://huggingface.co/<id>/resolve/main`. Of its weights nothing is
 * fetched but the tensors that are needed: those of the image tower at the first picture, of the text tower at the first text.
 *
 * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `CONFIG_INVALID`, `CHECKPOINT_INVALID`, `CHECKPOINT_MISMATCH`; `DEVICE_UNAVAILABLE`
 *   where there is no GPU though one is asked for, also when it is lost later
 * @example
 * ```ts
 * import { explainImage, openWebModel } from "clip-interpret/browser";
 * import { InferenceSession, Tensor } from "onnxruntime-web/wasm";
 *
 * const site = "https://example.org";
 * const runtime = { InferenceSession, Tensor };
 * const model = await openWebModel(`${site}/models/emoji-4x128-p8`, { runtime });
 * const picture = `${site}/examples/scenes/images/0067-monkey.png`;
 * const { texts } = await explainImage(model, picture, ["a monkey", "a palm tree"]);
 * for (const { text, similarity } of texts) console.log(text, similarity.toFixed(4));
 * // → a monkey 0.2085
 * // → a palm tree -0.1049
 * ```
 */
export async function openWebModel(
  address: string,
  { runtime, gpu, name, files = webBytes(), sharedTokenizer, ...options }: WebModelOptions,
): Promise<ClipModel> {
  if (gpu) await requireGpu(await gpu);
  const folder = address.replace(/\/$/, "");
  const platform: Platform = {
    bytes: files,
    openSession: webSessions(runtime, files, gpu),
    preprocess: preprocessIn(files),
    async findTokenizer(needs) {
      const own = tokenizerFilesIn(folder, await files.names(folder));
      if (own) return own;
      return sharedTokenizer !== undefined && sharesTokenizer(needs)
        ? { kind: "shared", merges: sharedTokenizer }
        : undefined;
    },
  };
  const knownAs = name === undefined ? [] : [name];
  return assembleModel(
    platform,
    { folder, name: name ?? nameIn(folder), knownAs },
    { ...options, device: gpu ? "webgpu" : "cpu" },
  );
}

/**
 * Opens an index that lies on a web server, as the `index` command wrote it. What is asked of it is read by HTTP ranges: the heads
 * that are searched, of all images.
 *
 * @param model that made it
 * @param address of its folder
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `INDEX_INVALID`, `INDEX_CORRUPT`; `INDEX_MISMATCH` for an index of another model
 * @example
 * ```ts
 * import { findNeighbors, openWebIndex, openWebModel, parseHeads } from "clip-interpret/browser";
 * import { InferenceSession, Tensor } from "onnxruntime-web/wasm";
 *
 * const site = "https://example.org";
 * const runtime = { InferenceSession, Tensor };
 * const model = await openWebModel(`${site}/models/emoji-4x128-p8`, { runtime });
 * const index = await openWebIndex(model, `${site}/scenes.index`);
 * const found = await findNeighbors(model, index, { text: "a bicycle" }, parseHeads(model, "last2"), { k: 1 });
 * console.log(found.neighbors[0].label); // → bicycle
 * ```
 */
export const openWebIndex = (
  model: ClipModel,
  address: string,
  files: WebBytes = webBytes(),
): Promise<Search<ShardedIndex>> => readWebIndex(model, address, files);
