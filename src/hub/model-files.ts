import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isKnownFamily } from "../checkpoint/hf-config.ts";
import { HF_PREPROCESSORS } from "../checkpoint/preprocess-config.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isFile } from "../support/files.ts";

/** The files that make up one model: what is fetched of a repository, and nothing else. */
export interface ModelFiles {
  /** Read before anything large is fetched. */
  readonly config: "open_clip_config.json" | "config.json";
  /** The weights, or the index that names their parts. */
  readonly weights: string;
  /** transformers' preprocessing, in one file, two or none. */
  readonly preprocessors: readonly string[];
}

/** What else is known of it: its special tokens. */
export const TOKENIZER_CONFIG = "tokenizer_config.json";
/** The same in the files of transformers' older tokenizers. */
export const SLOW_TOKENIZER = ["vocab.json", "merges.txt"];
/** Who has the tokenizer that repositories without one share. */
export const TOKENIZER_HOME = "openai/clip-vit-base-patch32";
/** True for a list of the parts of weights that lie in several files. */
export const isIndex = (name: string): boolean => name.endsWith(".index.json");

// In the order of checkpoint/weight-files.ts: safetensors first, which can be mapped and need no unpickling.
const OPEN_CLIP = [
  "open_clip_model.safetensors",
  "open_clip_pytorch_model.safetensors",
  "open_clip_pytorch_model.bin",
];
const TRANSFORMERS = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];

/**
 * Chooses a model's files among those of a folder or repository; undefined if they hold no model.
 * OpenCLIP's come first: timm's repositories have a `config.json` and `model.safetensors` of timm's own beside them.
 */
export function chooseFiles(names: ReadonlySet<string>): ModelFiles | undefined {
  const first = (candidates: readonly string[]) => candidates.find((name) => names.has(name));
  const openClip = names.has("open_clip_config.json") ? first(OPEN_CLIP) : undefined;
  if (openClip) return { config: "open_clip_config.json", weights: openClip, preprocessors: [] };
  const transformers = names.has("config.json") ? first(TRANSFORMERS) : undefined;
  if (!transformers) return undefined;
  return {
    config: "config.json",
    weights: transformers,
    preprocessors: HF_PREPROCESSORS.filter((name) => names.has(name)),
  };
}

/** True if a folder holds all of a CLIP's weights and its config. Links that lead nowhere do not count. */
export async function holdsModel(folder: string, names: readonly string[]): Promise<boolean> {
  const present = await Promise.all(names.map((name) => isFile(join(folder, name))));
  const files = new Set(names.filter((_, i) => present[i]));
  const chosen = chooseFiles(files);
  if (!chosen) return false;
  if (chosen.config === "config.json" && !(await isTransformersClip(join(folder, chosen.config))))
    return false;
  if (!isIndex(chosen.weights)) return true;
  const parts = await readParts(join(folder, chosen.weights)).catch(() => [""]);
  return parts.every((part) => files.has(part));
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** The files that an index of weights names. @throws `HUB_INVALID` when one would lie outside the folder */
export async function readParts(index: string): Promise<string[]> {
  const parsed = indexSchema.safeParse(parseJson(await readFile(index, "utf8")));
  if (!parsed.success) throw new ClipInterpretError("HUB_INVALID", `${index} is no index of weights`);
  const parts = [...new Set(Object.values(parsed.data.weight_map))];
  for (const part of parts) {
    if (isPlainName(part)) continue;
    const message = `${index} names a file outside its folder: ${JSON.stringify(part)}`;
    throw new ClipInterpretError("HUB_INVALID", message);
  }
  return parts;
}

/** True for the plain name of a file: one that leads out of no folder, on Windows neither. */
export function isPlainName(name: string): boolean {
  // Windows' separators, drives and streams too: a cache may lie on a disk that Windows reads.
  const control = [...name].some((char) => char.charCodeAt(0) < 32);
  return name !== "" && name !== "." && name !== ".." && !control && !/[/\\:]/.test(name);
}

async function isTransformersClip(path: string): Promise<boolean> {
  const parsed = z
    .object({ model_type: z.string().refine(isKnownFamily) })
    .safeParse(parseJson(await readFile(path, "utf8")));
  return parsed.success;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
