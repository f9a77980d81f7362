import { writeTensor } from "../../src/checkpoint/edit-weights.ts";
import type { Neuron } from "../../src/checkpoint/model-config.ts";
import { readTensor } from "../../src/checkpoint/tensor-values.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { pixelsOf } from "../../src/model/pixels.ts";
import { exactLinear } from "../../src/onnx/linear.ts";
import type { TokenFeature } from "../../src/onnx/token-features.ts";
import { layerNorm } from "../../src/onnx/transformer.ts";
import { disk } from "../../src/support/disk-bytes.ts";

/**
 * Makes one neuron fire at few patches of some images, and write much there: the norms of those patches become many times the others'.
 * @param folder a checkpoint in safetensors whose files are changed
 * @param patches how many fire
 */
export async function plantOutliers(
  folder: string,
  { layer, neuron }: Neuron,
  images: readonly string[],
  patches: number,
): Promise<void> {
  const model = await loadClipModel(folder);
  const { fc1, fc2 } = model.checkpoint.weights.vision.blocks[layer];
  const { tokens, prefix, grid } = model.config.vision;
  const [count, width] = fc1.weight.shape;
  // What the neuron reads at every patch, its bias in it.
  const reads: TokenFeature = {
    name: "reads",
    readsProbe: false,
    emit(g, { config, layers }) {
      const { middle, block } = layers[layer];
      const read = layerNorm(g, middle, block.ln2, config.vision.epsilon);
      return g.op("Reshape", [exactLinear(g, read, block.fc1), g.ints([-1, tokens, count])]);
    },
  };
  const active: number[] = [];
  for (const image of images) {
    const { features } = await model.readTokens((await pixelsOf(model, image)).pixels, { features: [reads] });
    for (let token = prefix; token < prefix + grid ** 2; token++)
      active.push(features.get("reads")![token * count + neuron]);
  }
  await model.release();
  const threshold = active.sort((a, b) => b - a)[patches];
  const [into, bias, out] = await Promise.all(
    [fc1.weight, fc1.bias!, fc2.weight].map(async (tensor) =>
      Float64Array.from(await readTensor(disk, tensor)),
    ),
  );
  // So strong that only these pass the bias: w ← 40·w, b ← 40·(b − threshold).
  for (let i = neuron * width; i < (neuron + 1) * width; i++) into[i] *= 40;
  bias[neuron] = 40 * (bias[neuron] - threshold);
  for (let row = 0; row < width; row++) out[row * count + neuron] = row % 2 ? 8 : -8;
  await writeTensor(fc1.weight, into);
  await writeTensor(fc1.bias!, bias);
  await writeTensor(fc2.weight, out);
}
