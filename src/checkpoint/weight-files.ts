import { z } from "zod";
import { type Bytes, jsonFrom } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { folderOf, pathIn } from "../support/paths.ts";
import { reasonOf } from "../support/reason.ts";
import { type LeftOut, readSafetensors, type TensorRef } from "./safetensors.ts";
import { readTorchFile } from "./torch-file.ts";
import { quoted } from "./weight-source.ts";

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
 * none of these names may hold a single `.pt`, `.pth` or `.ckpt`, as training runs leave (`epoch_32.pt`).
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
  const [single, ...more] = [...files].filter((file) => /\.(pth?|ckpt)$/.test(file)).sort();
  if (single && more.length === 0) return single;
  const why = single ? `several (${[single, ...more].join(", ")})` : "none";
  throw new ClipInterpretError(
    "MODEL_NOT_FOUND",
    `${folder} holds none of ${preferred.join(", ")}, and of .pt, .pth and .ckpt files ${why} instead of one`,
  );
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** A checkpoint's tensors under the names that their model gives them. */
export interface WeightTensors {
  readonly tensors: ReadonlyMap<string, TensorRef>;
  /** What came before each of these names in the file: the wrappings that a training run put around the model. */
  readonly prefix: string;
  /** Types, by name as in the file, of tensors that are no weights and were left out. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/**
 * Reads one weights file, or all that a `….index.json` names, and takes the model out of its wrappings ({@link unwrap}).
 * @throws `CHECKPOINT_INVALID`, `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 */
export async function readTensors(bytes: Bytes, path: string): Promise<WeightTensors> {
  const leftOut: LeftOut = new Map();
  const read = (file: string) =>
    file.endsWith(".safetensors")
      ? readSafetensors(bytes, file, leftOut)
      : readTorchFile(bytes, file, leftOut);
  if (!path.endsWith(".json")) return { ...unwrap(await read(path), path), leftOut };
  const parsed = indexSchema.safeParse(await jsonFrom(bytes, path));
  if (!parsed.success) {
    throw new ClipInterpretError("CHECKPOINT_INVALID", `${path}: ${reasonOf(parsed.error)}`);
  }
  const shards = [...new Set(Object.values(parsed.data.weight_map))];
  const outside = shards.find((shard) => /[\\/]/.test(shard) || shard === "..");
  if (outside)
    throw new ClipInterpretError("CHECKPOINT_INVALID", `${path} names a file outside its folder: ${outside}`);
  const maps = await Promise.all(shards.map((shard) => read(pathIn(folderOf(path), shard))));
  return { ...unwrap(new Map(maps.flatMap((map) => [...map])), path), leftOut };
}

/** A tensor that every layout has, by which the model is found among a training run's other tensors. */
const LANDMARK =
  /(?:^|\.)(visual\.class_embedding|visual\.trunk\.blocks\.0\.norm1\.weight|vision_model\.embeddings\.patch_embedding\.weight|(?<!visual\.trunk\.)blocks\.0\.attn\.qkv\.weight)$/;

/**
 * The model's tensors without what comes before all of their names: `module.` (DistributedDataParallel), `_orig_mod.`
 * (torch.compile), `model.` (Lightning), or anything else. Tensors beside it, of a loss for instance, are left out.
 * @throws `CHECKPOINT_INVALID` where there are several models
 */
function unwrap(
  all: ReadonlyMap<string, TensorRef>,
  path: string,
): Pick<WeightTensors, "tensors" | "prefix"> {
  const prefixes = [...all.keys()].flatMap((name) => {
    const found = LANDMARK.exec(name)?.[1];
    return found === undefined ? [] : [name.slice(0, -found.length)];
  });
  const [prefix = "", ...more] = new Set(prefixes);
  if (prefixes.includes("") || prefix === "") return { tensors: all, prefix: "" };
  if (more.length > 0) {
    const names = [prefix, ...more].map((name) => `${quoted(name)}*`).join(", ");
    throw new ClipInterpretError("CHECKPOINT_INVALID", `${path} holds several models (${names})`, {
      hint: "Save the one that is meant alone: its state_dict(), as safetensors or with torch.save.",
    });
  }
  const own = [...all].filter(([name]) => name.startsWith(prefix));
  return { tensors: new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])), prefix };
}
