import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import { parseHfConfig } from "./hf-config.ts";
import type { ModelConfig } from "./model-config.ts";
import { parseOpenClipConfig } from "./open-clip-config.ts";
import { readTensor } from "./tensor-values.ts";
import { chooseWeightFile, readTensors } from "./weight-files.ts";
import { assembleWeights, type ClipWeights, detectLayout } from "./weights.ts";

/** A checkpoint on disk, understood: where every weight lies, and what the config says. */
export interface Checkpoint {
  /** What messages call it. */
  readonly name: string;
  readonly folder: string;
  readonly config: ModelConfig;
  readonly weights: ClipWeights;
  /** e^`logit_scale`: multiplies cosines before the softmax of zero-shot classification. */
  readonly logitScale: number;
  /** Where its `tokenizer.json` should be; only work on texts needs it. */
  readonly tokenizerPath: string;
}

/**
 * Reads a folder with OpenCLIP's files (`open_clip_config.json` + weights) or transformers' (`config.json` + weights,
 * in one file or several with an index). Weights are safetensors or PyTorch's `.bin`; only headers are read.
 *
 * @param folder the checkpoint's folder
 * @param name what to call it in messages, and where an `openai`/`quickgelu` tag is looked for
 * @throws `MODEL_NOT_FOUND`, `MODEL_UNSUPPORTED`, `CONFIG_INVALID`, `CHECKPOINT_INVALID`, `CHECKPOINT_MISMATCH`
 */
export async function loadCheckpoint(folder: string, name = basename(resolve(folder))): Promise<Checkpoint> {
  const files = await listFolder(folder);
  const weightFile = chooseWeightFile(folder, files);
  const tensors = await readTensors(join(folder, weightFile));
  const layout = detectLayout(tensors);
  if (layout === "timm" || layout === "unknown") {
    const why =
      layout === "timm" ? "are named as timm's" : "are neither OpenCLIP's nor transformers' CLIP ViT";
    throw new ClipInterpretError("MODEL_UNSUPPORTED", `the tensors of ${join(folder, weightFile)} ${why}`, {
      hint: "Put open_clip_model.safetensors with open_clip_config.json into the folder, or a transformers CLIPModel.",
    });
  }
  const config = await readConfig(folder, layout, files, name);
  const weights = assembleWeights(tensors, layout, config);
  const [logLogitScale] = await readTensor(weights.logitScale);
  const logitScale = Math.exp(logLogitScale);
  return { name, folder, config, weights, logitScale, tokenizerPath: join(folder, "tokenizer.json") };
}

async function listFolder(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    throw new ClipInterpretError("MODEL_NOT_FOUND", `no model folder ${folder}`, { cause });
  }
}

async function readConfig(
  folder: string,
  layout: "open_clip" | "transformers",
  files: ReadonlySet<string>,
  name: string,
): Promise<ModelConfig> {
  const file = layout === "open_clip" ? "open_clip_config.json" : "config.json";
  if (!files.has(file)) {
    throw new ClipInterpretError("CONFIG_INVALID", `${folder} holds ${layout} weights but no ${file}`);
  }
  const json = await readJson(join(folder, file));
  if (layout === "open_clip") return parseOpenClipConfig(json, name);
  const preprocessor = join(folder, "preprocessor_config.json");
  return parseHfConfig(
    json,
    files.has("preprocessor_config.json") ? await readJson(preprocessor) : undefined,
    name,
  );
}
