import { copyCheckpoint } from "../checkpoint/copy-checkpoint.ts";
import { type EditRounding, editHeads } from "../checkpoint/edit-weights.ts";
import { hashWeights } from "../checkpoint/fingerprint.ts";
import { loadCheckpoint } from "../checkpoint/load.ts";
import { disk } from "../support/disk-bytes.ts";
import { fileIn, fullPath, nameOnDisk } from "../support/disk-paths.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { fillFolder, writeWhole } from "../support/files.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import type { ClipModel } from "./clip-model.ts";
import { type ComponentSet, headName } from "./components.ts";
import type { Calibration } from "./export-encoder.ts";

/** Which mean of a head's output one bias can hold. */
export const CHECKPOINT_MEANS = ["tokens", "cls"] as const;
export type CheckpointMean = (typeof CHECKPOINT_MEANS)[number];

/**
 * One mean a head out of its means per token position: over all tokens, or that at CLS. Where CLS is pooled, in the last
 * layer always that at CLS, since nothing else of it reaches the embedding.
 * @param means [L, N, H, d_h]
 * @throws `HEADS_INVALID` for a mean at CLS where none is read
 * @returns [L, H, d_h]
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { meanOutputs, oneMean } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const means = await meanOutputs(model, index, [0, 1, 2, 3], [3]);
 * console.log(oneMean(model, means, "tokens").length === 4 * 128); // → true
 * ```
 */
export function oneMean(
  { config: { vision } }: Pick<ClipModel, "config">,
  means: Float64Array,
  over: CheckpointMean,
): Float64Array {
  const { layers, tokens, width, pooling } = vision;
  const readsCls = pooling === "cls";
  if (over === "cls" && !readsCls)
    throw new ClipInterpretError("HEADS_INVALID", "the model reads no CLS token to take a mean at", {
      hint: "Take the mean over tokens.",
    });
  const result = new Float64Array(layers * width);
  for (let layer = 0; layer < layers; layer++) {
    const count = over === "cls" || (readsCls && layer === layers - 1) ? 1 : tokens;
    for (let token = 0; token < count; token++) {
      const at = (layer * tokens + token) * width;
      for (let i = 0; i < width; i++) result[layer * width + i] += means[at + i] / count;
    }
  }
  return result;
}

/**
 * The same mean at every token position: what a gate must add to compute what the edited checkpoint does.
 * @param means [L, H, d_h]
 * @returns [L, N, H, d_h]
 */
export function everywhere(
  { config: { vision } }: Pick<ClipModel, "config">,
  means: Float64Array,
): Float64Array {
  const { layers, tokens, width } = vision;
  const result = new Float64Array(layers * tokens * width);
  for (let layer = 0; layer < layers; layer++) {
    const mean = means.subarray(layer * width, (layer + 1) * width);
    for (let token = 0; token < tokens; token++) result.set(mean, (layer * tokens + token) * width);
  }
  return result;
}

/** What is taken away of a checkpoint. */
export interface ExportCheckpointOptions extends WorkOptions {
  /** Heads; a weight says how much of one. */
  readonly set: ComponentSet;
  /** `[L, H, d_h]`: the output z that a head has at every token from now on ({@link oneMean}); nothing by default. */
  readonly means?: Float64Array;
  /** What the means are, for the card. */
  readonly meanOver?: CheckpointMean;
  readonly calibration?: Calibration;
}

/** What was written. */
export interface ExportedCheckpoint {
  readonly folder: string;
  /** SHA-256 of the new weights. */
  readonly weights: string;
  /** Largest error of rounding to the file's types. */
  readonly rounding: EditRounding;
}

/**
 * Writes a whole model folder (weights, config, tokenizer, a card) in which heads are taken away inside the network, at
 * every token: full-forward ablation that any CLIP library can load. Layout and types are the source's; weights of a
 * PyTorch file become safetensors.
 *
 * It computes what a gate of 1 − w with the offset w·z̄ at every token computes. A mean per token position, which a gate
 * may hold, has no place in a checkpoint: `out_proj` has one bias for all tokens.
 *
 * @param folder must not exist, or be empty
 * @throws `HEADS_INVALID` for MLP terms; `OUTPUT_UNWRITABLE` when something is there already; `CANCELLED`
 * @example
 * ```ts
 * import { rm } from "node:fs/promises";
 * import { openModel, parseHeads } from "clip-interpret";
 * import { exportCheckpoint } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * await rm("out/edited", { recursive: true, force: true });
 * await exportCheckpoint(model, "out/edited", { set: parseHeads(model, "L3.H1") }); // the head outputs nothing
 * console.log((await openModel("out/edited")).config.vision.layers); // → 4
 * ```
 */
export async function exportCheckpoint(
  model: ClipModel,
  folder: string,
  options: ExportCheckpointOptions,
): Promise<ExportedCheckpoint> {
  const { set, means, signal } = options;
  if (set.mlps.length > 0)
    throw new ClipInterpretError("HEADS_INVALID", "a checkpoint can be edited in its heads, not in its MLPs");
  const target = fullPath(folder);
  let written: Omit<ExportedCheckpoint, "folder"> | undefined;
  await fillFolder(target, async (partial) => {
    const source = await model.weightsHash();
    await copyCheckpoint(model.checkpoint.folder, partial, model.config, signal);
    checkCancelled(signal);
    const copy = await loadCheckpoint(partial);
    const rounding = await editHeads(copy, set.heads, means);
    const weights = await hashWeights(disk, copy.weights);
    const card = cardOf(nameOnDisk(target), { ...options, model, source, weights, rounding });
    await writeWhole(fileIn(partial, "README.md"), card);
    written = { weights, rounding };
  });
  return { folder: target, ...written! };
}

interface Card extends Omit<ExportCheckpointOptions, keyof WorkOptions> {
  readonly model: ClipModel;
  readonly source: string;
  readonly weights: string;
  readonly rounding: EditRounding;
}

function cardOf(
  name: string,
  { model, set, means, meanOver, calibration, source, weights, rounding }: Card,
): string {
  const heads = set.heads.map(({ layer, head, weight }) =>
    weight === 1 ? headName(layer, head) : `${headName(layer, head)} (${weight} of it)`,
  );
  const constant = {
    tokens: "their mean over all tokens, in the last layer at the CLS token",
    cls: "their mean at the CLS token",
    other: "a constant",
  };
  const now = means ? `${constant[meanOver ?? "other"]}; the same for every image and token` : "nothing";
  const rows = [
    ["made from", model.name],
    ["its weights", `SHA-256 \`${source}\``],
    ["these weights", `SHA-256 \`${weights}\``],
    ["heads", `${heads.join(", ") || "none"} (layers and heads counted from 0)`],
    ["what they output now", now],
    ...(calibration
      ? [["means taken over", `${calibration.images} images, index \`${calibration.index}\``]]
      : []),
  ];
  const rounded = Object.entries({ biases: rounding.bias, matrices: rounding.matrix })
    .filter(([, error]) => error > 0)
    .map(([what, error]) => `${what} by ${error.toExponential(1)}`);
  return `# ${name}

An edited copy of ${model.name}: heads of the image tower were taken away inside the network, so that later layers no
longer read them. Only \`out_proj\` of their layers was changed; the text tower, the tokenizer and the preprocessing are
the source's. Its licence holds for this copy too.

| | |
| --- | --- |
${rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}
${rounded.length > 0 ? `\nRounded to the file's types, the output layers' numbers are off by at most: ${rounded.join(", ")}.\n` : ""}
Written by clip-interpret.
`;
}
