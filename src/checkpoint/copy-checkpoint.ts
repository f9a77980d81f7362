import { chmod, copyFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { disk } from "../support/disk-bytes.ts";
import { makeFolder, readJson } from "../support/files.ts";
import { type ModelConfig, readsTexts, type TowerConfig } from "./model-config.ts";
import { openAiConfig } from "./openai-config.ts";
import { type Piece, tensorBytes } from "./pieces.ts";
import { HF_PREPROCESSORS } from "./preprocess-config.ts";
import type { TensorRef } from "./safetensors.ts";
import { chooseWeightFile, readTensors } from "./weight-files.ts";
import { detectLayout } from "./weights.ts";
import { writePieces } from "./write-pieces.ts";

/** What belongs to a model beside its weights and config: tokenizers in any form, preprocessing. */
const COMPANIONS = [
  ...HF_PREPROCESSORS,
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.json",
  "merges.txt",
];

/**
 * Copies what makes up a model, and nothing else, to a folder. Safetensors are copied byte for byte, in one file or
 * several; weights in a PyTorch file become one safetensors file, each tensor in its type. The config comes to say which
 * activation the weights need, which `--activation` or a known model's name may have said before.
 *
 * @param target is made; an existing file in it is replaced
 * @throws the file system's errors
 */
export async function copyCheckpoint(
  folder: string,
  target: string,
  { vision, text }: ModelConfig,
  signal?: AbortSignal,
): Promise<void> {
  const files = new Set(await readdir(folder));
  const weights = chooseWeightFile(folder, files);
  const found = await readTensors(disk, join(folder, weights));
  const { tensors } = found;
  const openClip = detectLayout(tensors) === "open_clip";
  await makeFolder(target);
  if (weights.endsWith(".safetensors")) await copy(folder, target, weights);
  else if (weights.endsWith(".safetensors.index.json")) {
    const index = (await readJson(join(folder, weights))) as { weight_map: Record<string, string> };
    const parts = new Set(Object.values(index.weight_map));
    for (const name of [weights, ...parts]) await copy(folder, target, name);
  } else {
    const name = openClip ? "open_clip_model.safetensors" : "model.safetensors";
    await writePieces(join(target, name), safetensorsPieces(tensors), signal);
  }
  for (const name of COMPANIONS) if (files.has(name)) await copy(folder, target, name);
  const configName = openClip ? "open_clip_config.json" : "config.json";
  const inferred = files.has(configName) ? undefined : openAiConfig(found);
  const config = (inferred ?? (await readJson(join(folder, configName)))) as Record<
    string,
    object | undefined
  >;
  // Of OpenCLIP's towers one may be timm's, which has an activation of its own.
  const isQuick =
    vision.activation === "quick_gelu" || (readsTexts(text) && text.activation === "quick_gelu");
  const said = openClip
    ? { ...config, model_cfg: { ...config.model_cfg, quick_gelu: isQuick } }
    : {
        ...config,
        ...sayActivation(config, "vision_config", vision),
        ...(readsTexts(text) && sayActivation(config, "text_config", text)),
      };
  await writeFile(join(target, configName), `${JSON.stringify(said, null, 2)}\n`);
}

/** transformers' names of activations. */
const HIDDEN_ACT: Readonly<Record<TowerConfig["activation"], string>> = {
  ...{ gelu: "gelu", quick_gelu: "quick_gelu", gelu_tanh: "gelu_pytorch_tanh", silu: "silu", relu: "relu" },
};

/** A section of a transformers config with its tower's activation; also the one that wins over it in old configs. */
function sayActivation(
  config: Record<string, object | undefined>,
  section: string,
  { activation }: TowerConfig,
): Record<string, object> {
  const older = `${section}_dict`;
  return {
    [section]: { ...config[section], hidden_act: HIDDEN_ACT[activation] },
    ...(config[older] && { [older]: { ...config[older], hidden_act: HIDDEN_ACT[activation] } }),
  };
}

/** A copy that can be written to, of what a link leads to. */
async function copy(folder: string, target: string, name: string): Promise<void> {
  await copyFile(join(folder, name), join(target, name));
  await chmod(join(target, name), 0o644);
}

/** A whole safetensors file of tensors that lie elsewhere. */
function safetensorsPieces(tensors: ReadonlyMap<string, TensorRef>): Piece[] {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, tensor] of tensors) {
    const start = end;
    end += tensorBytes(tensor);
    header[name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, end] };
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return [length, text, ...tensors.values()];
}
