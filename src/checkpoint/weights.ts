import { ClipInterpretError } from "../support/errors.ts";
import { type ModelConfig, readsTexts } from "./model-config.ts";
import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";
import type { TimmTower } from "./timm-tower.ts";
import type { WeightTensors } from "./weight-files.ts";
import type { ClipWeights, Shape, Take } from "./weight-roles.ts";
import { openClipWeights } from "./weights-open-clip.ts";
import { transformersWeights } from "./weights-transformers.ts";

/** Which project's tensor names a checkpoint uses. */
export type Layout = "open_clip" | "transformers" | "timm" | "unknown";

/** Tells the layout from the names. timm's are recognised only to be explained. */
export function detectLayout(tensors: ReadonlyMap<string, TensorRef>): Layout {
  if (tensors.has("visual.class_embedding") || tensors.has("visual.trunk.blocks.0.norm1.weight"))
    return "open_clip";
  if (tensors.has("vision_model.embeddings.patch_embedding.weight")) return "transformers";
  if (tensors.has("blocks.0.attn.qkv.weight")) return "timm";
  return "unknown";
}

/**
 * Finds every tensor's role and checks every shape against the config.
 * @param tower the facts of an OpenCLIP model's timm tower, if it has one
 * @throws `CHECKPOINT_MISMATCH` naming the tensor, the shape or type it has and what it should have
 */
export function assembleWeights(
  { tensors, prefix, leftOut }: WeightTensors,
  layout: "open_clip" | "transformers",
  config: ModelConfig,
  tower?: TimmTower,
): ClipWeights {
  const lookUp = (name: string, shape: Shape): TensorRef => {
    const tensor = tensors.get(name);
    const type = leftOut.get(`${prefix}${name}`);
    if (!tensor && type) {
      const readable = Object.keys(DTYPE_BYTES).join(", ");
      throw new ClipInterpretError(
        "CHECKPOINT_MISMATCH",
        `tensor ${prefix}${name} is stored as ${type}; ${readable} are read here`,
        { hint: "Convert the weights to float32 or float16 with the library that they come from." },
      );
    }
    if (!tensor) {
      throw new ClipInterpretError(
        "CHECKPOINT_MISMATCH",
        `the weights have no tensor ${name} [${shape.join(", ")}]`,
      );
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      const has = `[${tensor.shape.join(", ")}]`;
      const wanted = `[${shape.join(", ")}]`;
      throw new ClipInterpretError(
        "CHECKPOINT_MISMATCH",
        `tensor ${name} is ${has}; the config says ${wanted}`,
      );
    }
    return tensor;
  };
  const take: Take = Object.assign(lookUp, {
    has: (name: string) => tensors.has(name),
    shape: (name: string) => tensors.get(name)?.shape,
  });
  const scalar = (name: string) => take(name, tensors.get(name)?.shape.length === 1 ? [1] : []);
  const towers =
    layout === "transformers" ? transformersWeights(take, config) : openClipWeights(take, config, tower);
  return {
    ...towers,
    file: towers.vision.lnPost.weight.file,
    ...((readsTexts(config.text) || take.has("logit_scale")) && { logitScale: scalar("logit_scale") }),
    ...(take.has("logit_bias") && { logitBias: scalar("logit_bias") }),
  };
}

/** Every tensor of some weights, or of a part of them. */
export function tensorsIn(part: unknown): TensorRef[] {
  if (typeof part !== "object" || part === null) return [];
  return isTensor(part) ? [part] : Object.values(part).flatMap(tensorsIn);
}

const isTensor = (part: object): part is TensorRef => "file" in part && "offset" in part && "dtype" in part;
