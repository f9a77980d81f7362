import { open } from "node:fs/promises";
import { dot } from "../math/linear.ts";
import { Random, shuffle } from "../math/random.ts";
import { disk } from "../support/disk-bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Checkpoint } from "./read-checkpoint.ts";
import type { TensorRef } from "./safetensors.ts";
import { encodeValues, readTensor } from "./tensor-values.ts";

/** Heads of a layer, with how much of each is taken away. */
export interface EditedHead {
  readonly layer: number;
  readonly head: number;
  /** 1 takes the whole head away. */
  readonly weight: number;
}

/** How far what was written is from what was meant: a half-precision file rounds it. */
export interface EditRounding {
  /** max |stored − exact| over the output biases. */
  readonly bias: number;
  /** The same over the output matrices; 0 where whole heads were taken away. */
  readonly matrix: number;
}

/**
 * Takes heads away in a checkpoint's own files: W_O's columns of head h become (1 − w)·W_O^h, and with means
 * b_O becomes b_O + w·W_O^h·z̄_h. So the network computes (1 − w)·z + w·z̄ in that head, at every token.
 *
 * @param checkpoint whose files may be changed: a copy, in safetensors
 * @param means [L, H, d_h]: z̄, one for all tokens
 * @throws `HALF_OVERFLOW`
 */
export async function editHeads(
  { config: { vision }, weights }: Checkpoint,
  heads: readonly EditedHead[],
  means?: Float64Array,
): Promise<EditRounding> {
  const { width, headDim } = vision;
  let rounding = { bias: 0, matrix: 0 };
  for (const [layer, { out }] of weights.vision.blocks.entries()) {
    const chosen = heads.filter((head) => head.layer === layer);
    if (chosen.length === 0) continue;
    const matrix = Float64Array.from(await readTensor(disk, out.weight));
    const bias = Float64Array.from(await readTensor(disk, out.bias));
    for (const { head, weight } of chosen) {
      const mean = means?.subarray(layer * width + head * headDim, layer * width + (head + 1) * headDim);
      for (let row = 0; row < width; row++) {
        const at = row * width + head * headDim;
        if (mean) bias[row] += weight * dot(matrix, mean, at);
        for (let i = 0; i < headDim; i++) matrix[at + i] *= 1 - weight;
      }
    }
    rounding = {
      matrix: Math.max(rounding.matrix, await writeTensor(out.weight, matrix)),
      bias: means ? Math.max(rounding.bias, await writeTensor(out.bias, bias)) : rounding.bias,
    };
  }
  return rounding;
}

/**
 * Puts the numbers of each tensor into a random order, in a checkpoint's own files: whatever was learnt is gone, and the
 * distribution of every tensor's numbers is as it was.
 * @param tensors of files that may be changed: a copy, in safetensors
 */
export async function shuffleTensors(tensors: readonly TensorRef[], seed: number): Promise<void> {
  for (const [index, tensor] of tensors.entries()) {
    const values = Float64Array.from(await readTensor(disk, tensor));
    shuffle(values, new Random(seed, index));
    await writeTensor(tensor, values);
  }
}

/** Overwrites a tensor where it lies; the largest error of rounding to its type. @throws `HALF_OVERFLOW` */
export async function writeTensor(tensor: TensorRef, values: Float64Array): Promise<number> {
  const handle = await open(tensor.file, "r+");
  try {
    const bytes = encodeValues(Float32Array.from(values), tensor.dtype);
    await handle.write(bytes, 0, bytes.length, tensor.offset);
  } finally {
    await handle.close();
  }
  const stored = await readTensor(disk, tensor);
  if (!stored.every(Number.isFinite)) {
    const hint = "Convert the checkpoint to float32 first.";
    throw new ClipInterpretError("HALF_OVERFLOW", `${tensor.name} is too large for ${tensor.dtype}`, {
      hint,
    });
  }
  return stored.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0);
}
