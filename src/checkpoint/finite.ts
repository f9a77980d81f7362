import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readTensor } from "./tensor-values.ts";
import type { ClipWeights } from "./weight-roles.ts";
import { tensorsIn } from "./weights.ts";

/**
 * Sees that every weight is a number. Reads all of them: to be called when a result was none, not at every load.
 * @param weights of a whole model or of one tower
 * @throws `CHECKPOINT_INVALID` naming the tensor; `INPUT_UNREADABLE`
 */
export async function requireFinite(
  bytes: Bytes,
  weights: ClipWeights | ClipWeights["vision"] | ClipWeights["text"],
): Promise<void> {
  for (const tensor of tensorsIn(weights)) {
    const values = await readTensor(bytes, tensor);
    if (areFinite(values)) continue;
    const bad = values.find((value) => !Number.isFinite(value));
    const count = values.reduce((sum, value) => sum + (Number.isFinite(value) ? 0 : 1), 0);
    const message = `tensor ${tensor.name} of ${tensor.file} holds ${bad} (${count} of its ${values.length} numbers are none)`;
    throw new ClipInterpretError("CHECKPOINT_INVALID", message, {
      hint: "The training run that wrote it diverged, or the file was damaged: use an earlier checkpoint, or fetch it again.",
    });
  }
}

/** Whether all are numbers: what is none is none times 0 either. Four sums, since one waits for each of its additions. */
function areFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const fours = values.length - (values.length % 4);
  for (let i = 0; i < fours; i += 4) {
    a += values[i] * 0;
    b += values[i + 1] * 0;
    c += values[i + 2] * 0;
    d += values[i + 3] * 0;
  }
  for (let i = fours; i < values.length; i++) a += values[i] * 0;
  return a + b + c + d === 0;
}
