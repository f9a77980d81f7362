import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import { readSafetensors, type TensorRef } from "./safetensors.ts";
import { readTorchFile } from "./torch-file.ts";

/** OpenCLIP's own files in order of preference. */
const OPEN_CLIP_FILES = [
  "open_clip_model.safetensors",
  "open_clip_pytorch_model.safetensors",
  "open_clip_pytorch_model.bin",
];
/** Names that transformers uses, and timm too. */
const OTHER_FILES = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];

/**
 * Which of a folder's files holds the weights.
 *
 * With an `open_clip_config.json`, OpenCLIP's own file in any format goes first: timm's repositories hold a timm-named
 * `model.safetensors` beside it. Without, transformers' names do: OpenCLIP's file would lack its config. A folder with
 * none of these names may hold a single `.pt` or `.pth`, as training runs leave (`epoch_32.pt`).
 *
 * @param files the names in the folder
 * @throws `MODEL_NOT_FOUND`
 */
export function chooseWeightFile(folder: string, files: ReadonlySet<string>): string {
  const preferred = files.has("open_clip_config.json")
    ? [...OPEN_CLIP_FILES, ...OTHER_FILES]
    : [...OTHER_FILES, ...OPEN_CLIP_FILES];
  const named = preferred.find((file) => files.has(file));
  if (named) return named;
  const [single, ...more] = [...files].filter((file) => /\.pth?$/.test(file)).sort();
  if (single && more.length === 0) return single;
  const why = single ? `several (${[single, ...more].join(", ")})` : "none";
  throw new ClipInterpretError(
    "MODEL_NOT_FOUND",
    `${folder} holds none of ${preferred.join(", ")}, and of .pt and .pth files ${why} instead of one`,
  );
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads one weights file, or all that a `….index.json` names.
 * @throws `CHECKPOINT_INVALID`, `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 */
export async function readTensors(path: string): Promise<ReadonlyMap<string, TensorRef>> {
  if (!path.endsWith(".json")) return readTensorFile(path);
  const parsed = indexSchema.safeParse(await readJson(path));
  if (!parsed.success) {
    throw new ClipInterpretError("CHECKPOINT_INVALID", `${path}: ${z.prettifyError(parsed.error)}`);
  }
  const shards = [...new Set(Object.values(parsed.data.weight_map))];
  const outside = shards.find((shard) => basename(shard) !== shard || shard === "..");
  if (outside)
    throw new ClipInterpretError("CHECKPOINT_INVALID", `${path} names a file outside its folder: ${outside}`);
  const maps = await Promise.all(shards.map((shard) => readTensorFile(join(dirname(path), shard))));
  return new Map(maps.flatMap((map) => [...map]));
}

const readTensorFile = (path: string) =>
  path.endsWith(".safetensors") ? readSafetensors(path) : readTorchFile(path);
