import { join } from "node:path";
import { parseHfConfig } from "../checkpoint/hf-config.ts";
import type { ModelConfig } from "../checkpoint/model-config.ts";
import { openClipFacts, parseOpenClipConfig } from "../checkpoint/open-clip-config.ts";
import { readHfPreprocessor } from "../checkpoint/preprocess-config.ts";
import { disk } from "../support/disk-bytes.ts";
import { readJson } from "../support/files.ts";
import type { ModelFiles } from "./model-files.ts";

/** What a model's config says, without a look at its weights. */
export interface DescribedModel {
  readonly config: ModelConfig;
  /** Whose tokenizer it names, if any. */
  readonly tokenizerName: string | undefined;
}

/**
 * Reads a model's config and preprocessing.
 * @throws `CONFIG_INVALID`, `JSON_INVALID`, `INPUT_NOT_FOUND`; `MODEL_UNSUPPORTED` for what cannot be decomposed
 */
export async function describeModel(
  folder: string,
  { config: file, preprocessors }: ModelFiles,
  name: string,
): Promise<DescribedModel> {
  const json = await readJson(join(folder, file));
  if (file === "open_clip_config.json")
    return {
      config: parseOpenClipConfig(json, name),
      tokenizerName: openClipFacts(json, name).tokenizerName,
    };
  const how = await readHfPreprocessor(disk, folder, new Set(preprocessors));
  return { config: parseHfConfig(json, how, name), tokenizerName: undefined };
}
