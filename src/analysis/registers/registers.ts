/**
 * The few patches that a network uses as registers: their norms are many times the others', they carry what belongs to no place,
 * and maps of attention show them ("Vision Transformers Need Registers", Darcet et al. 2024, §2). Which neurons make them, and what
 * is left of them when a register takes what those write: "Vision Transformers Don't Need Trained Registers", Jiang et al. 2025,
 * §3 (neurons whose activations are largest at outliers, algorithm 1) and §4 (registers at test time).
 *
 * Three things are otherwise than there. A patch is an outlier by how many times the image's median norm it has, which needs no
 * number for each model. Neurons are looked for up to the layer behind which outliers emerge, which is measured. And they are
 * ranked by how much more they write at outliers than elsewhere, not by their activation alone: some neurons are as active everywhere.
 */

import type { ModelConfig } from "../../checkpoint/model-config.ts";
import { readTensor } from "../../checkpoint/tensor-values.ts";
import { scanSource } from "../../corpus/source.ts";
import { preprocessAll } from "../../image/pool.ts";
import type { Preprocessed } from "../../image/show.ts";
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { loadClipModel } from "../../model/load-model.ts";
import { neuronName } from "../../model/notices.ts";
import { normalizeAll } from "../../model/pixels.ts";
import type { TokenOutputs } from "../../model/token-outputs.ts";
import { neuronsAtOutliers, TOKEN_NORMS, takesRegisters } from "../../onnx/registers.ts";
import type { TokenFeature } from "../../onnx/token-features.ts";
import { originOf } from "../../results/origin.ts";
import { type RegistersResult, registersResult, type TokenNorms } from "../../results/registers.ts";
import { disk } from "../../support/disk-bytes.ts";
import { fullPath, nameOnDisk } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { rawAttention } from "../segmentation/baselines.ts";
import type { RejectedImage } from "../segmentation/passes.ts";

/** How registers are looked for. */
export interface RegisterOptions extends WorkOptions {
  /** A patch is an outlier from so many times the image's median norm on. Default: 3. */
  readonly ratio?: number;
  /** How many neurons are moved. Default: 10, as in the paper's programs. */
  readonly neurons?: number;
  /** Only the first so many images. Default: 500; the norms of all patches are kept. */
  readonly limit?: number;
  readonly exif?: boolean;
}

/** Images in one run: every token of every layer is computed. */
const BATCH = 8;

/**
 * Looks for registers in a folder of images, and moves them aside.
 * @throws `MODEL_UNSUPPORTED` where no register can be added; `INPUT_UNREADABLE` when no image can be read; what `scanSource`
 *   throws; `CANCELLED`
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { findRegisters } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { norms, moved } = await findRegisters(model, "examples/scenes/images", { limit: 4 });
 * console.log(norms.layers.length, moved); // → 5 null
 * ```
 */
export async function findRegisters(
  model: ClipModel,
  folder: string,
  { ratio = 3, neurons: wanted = 10, limit = 500, ...options }: RegisterOptions = {},
): Promise<RegistersResult> {
  const { config, checkpoint } = model;
  if (!takesRegisters(config, checkpoint.weights.vision))
    throw new ClipInterpretError("MODEL_UNSUPPORTED", `${model.name} is of a kind that takes no register`);
  const { images, root } = await scanSource(folder, options.report ? { report: options.report } : {});
  const paths = images.slice(0, limit).map(({ path }) => fullPath(path, root));
  const feature = neuronsAtOutliers(ratio);
  const before = collector(config, ratio);
  const sums: [at: Float64Array, elsewhere: Float64Array] = [new Float64Array(0), new Float64Array(0)];
  const rejected = await readImages(model, paths, [TOKEN_NORMS, feature], options, (outputs) => {
    const withOutliers = before.add(outputs);
    // [b, 2, L, M]
    const sizes = outputs.features.get(feature.name)!;
    const each = sizes.length / outputs.count / 2;
    if (sums[0].length === 0) for (const side of [0, 1]) sums[side] = new Float64Array(each);
    for (const image of withOutliers)
      for (const side of [0, 1])
        for (let i = 0; i < each; i++) sums[side][i] += sizes[(2 * image + side) * each + i];
  });
  if (before.embeddings.length === 0)
    throw new ClipInterpretError(
      "INPUT_UNREADABLE",
      `none of ${paths.length} images in ${folder} could be read`,
    );
  const norms = before.norms();
  const emerges = norms.layers.findIndex(({ outliers }) => outliers !== null && outliers >= ratio);
  const { layers } = config.vision;
  const perLayer = sums[0].length / layers;
  // Layer l leaves `norms.layers[l + 1]`; behind the last one nothing reads patches.
  const last = Math.min(Math.max(emerges, 0) - 1, layers - 2);
  const reach = await outputNorms(model, last);
  const excess = (i: number) => (sums[0][i] - sums[1][i]) * reach[i];
  const neurons = [...reach.keys()]
    .sort((a, b) => excess(b) - excess(a))
    .slice(0, wanted)
    .map((i) => {
      const neuron = { layer: Math.floor(i / perLayer), neuron: i % perLayer };
      const [atOutliers, elsewhere] = sums.map((own) => own[i] / norms.withOutliers);
      return {
        name: neuronName(neuron),
        ...neuron,
        atOutliers,
        elsewhere,
        writes: excess(i) / norms.withOutliers,
      };
    });
  return registersResult(await originOf({ model }), {
    ...{ source: nameOnDisk(folder), images: before.embeddings.length, ratio, norms },
    emerge: emerges < 0 ? null : norms.layers[emerges].layer,
    neurons,
    moved: neurons.length === 0 ? null : await moveAside(model, paths, neurons, ratio, before, options),
    rejected,
  });
}

/** How long what each neuron writes is at an activation of one, of the layers up to `last`: [layers·M]. */
async function outputNorms({ checkpoint }: ClipModel, last: number): Promise<Float64Array> {
  const norms: number[] = [];
  for (const { fc2 } of checkpoint.weights.vision.blocks.slice(0, last + 1)) {
    const [rows, columns] = fc2.weight.shape;
    const values = await readTensor(disk, fc2.weight);
    const squares = new Float64Array(columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) squares[column] += values[row * columns + column] ** 2;
    norms.push(...squares.map(Math.sqrt));
  }
  return Float64Array.from(norms);
}

/** The same images by the network with a register for these neurons. */
async function moveAside(
  model: ClipModel,
  paths: readonly string[],
  neurons: RegistersResult["neurons"],
  ratio: number,
  before: ReturnType<typeof collector>,
  options: RegisterOptions,
): Promise<RegistersResult["moved"]> {
  const { checkpoint, config, precision, name } = model;
  const registers = neurons.map(({ layer, neuron }) => ({ layer, neuron }));
  const activation = config.vision.activation === "quick_gelu" ? "quick_gelu" : "gelu";
  const moved = await loadClipModel(checkpoint.folder, name, {
    ...{ registers, precision },
    ...(checkpoint.activationSource === "option" && { activation }),
  });
  try {
    const after = collector(moved.config, ratio);
    await readImages(moved, paths, [TOKEN_NORMS], options, (outputs) => {
      after.add(outputs);
    });
    const cosines = after.embeddings.map((own, i) => {
      const other = before.embeddings[i];
      return dot(own, other) / Math.sqrt(dot(own, own) * dot(other, other));
    });
    return {
      neurons: neurons.map((neuron) => neuron.name),
      norms: after.norms(),
      register: after.register(),
      cosine: meanOf(cosines),
    };
  } finally {
    await moved.release();
  }
}

/** Runs images through a model, a batch at a time. */
async function readImages(
  model: ClipModel,
  paths: readonly string[],
  features: readonly TokenFeature[],
  { exif = true, report, signal }: RegisterOptions,
  seen: (outputs: TokenOutputs) => void,
): Promise<RejectedImage[]> {
  const { preprocess: config } = model.config;
  const rejected: RejectedImage[] = [];
  let batch: Preprocessed[] = [];
  const flush = async () => {
    if (batch.length > 0) seen(await model.readTokens(normalizeAll(batch, config), { features }));
    batch = [];
  };
  const task = "reading tokens";
  report?.({ type: "start", task, unit: "image", total: paths.length });
  let done = 0;
  const how = { ahead: 4 * BATCH, exif, ...(signal && { signal }) };
  for await (const outcome of preprocessAll(paths, config, how)) {
    if ("error" in outcome) {
      const { code, message } = outcome.error;
      rejected.push({ path: outcome.source, code, message });
    } else batch.push(outcome.image);
    if (batch.length === BATCH) await flush();
    report?.({ type: "advance", task, done: ++done, total: paths.length });
  }
  await flush();
  report?.({ type: "end", task, done });
  return rejected;
}

/** What is kept of every image: norms of all tokens, which patches are outliers, what attention they get, its embedding. */
function collector({ vision: { layers, prefix, grid } }: ModelConfig, ratio: number) {
  const patches = grid * grid;
  /** Of each layer's output, and of what the first one reads. */
  const all = Array.from({ length: layers + 1 }, () => ({
    patch: [] as number[],
    cls: [] as number[],
    outlier: [] as number[],
  }));
  const embeddings: Float32Array[] = [];
  const registers: number[] = [];
  const attention: number[] = [];
  let [withOutliers, outliers] = [0, 0];
  return {
    embeddings,
    /** The images of the batch that have outliers. */
    add(outputs: TokenOutputs): number[] {
      const { count, tokens, embedDim, projected, features } = outputs;
      const norms = features.get(TOKEN_NORMS.name)!;
      const found: number[] = [];
      for (let image = 0; image < count; image++) {
        const rows = Array.from({ length: layers + 1 }, (_, layer) => {
          const start = (image * (layers + 1) + layer) * tokens;
          return norms.subarray(start, start + tokens);
        });
        const own = rows.map((row) => row.subarray(prefix, prefix + patches));
        const limit = ratio * upperMedian(own[layers]);
        const places = [...own[layers].keys()].filter((i) => own[layers][i] >= limit);
        for (const [layer, { patch, cls, outlier }] of all.entries()) {
          patch.push(...own[layer]);
          cls.push(rows[layer][0]);
          const median = upperMedian(own[layer]);
          for (const place of places) outlier.push(own[layer][place] / median);
        }
        if (tokens > prefix + patches) registers.push(rows[layers][tokens - 1]);
        embeddings.push(projected.slice(image * tokens * embedDim, (image * tokens + 1) * embedDim));
        const seen = rawAttention(outputs, image);
        const whole = seen.reduce((sum, value) => sum + value, 0);
        attention.push(places.reduce((sum, place) => sum + seen[place], 0) / (whole || 1));
        outliers += places.length;
        if (places.length === 0) continue;
        withOutliers++;
        found.push(image);
      }
      return found;
    },
    register: () => meanOf(registers),
    norms: (): TokenNorms => ({
      layers: all.map(({ patch, cls, outlier }, i) => {
        const sorted = Float64Array.from(patch).sort();
        return {
          layer: i === 0 ? "embed" : `L${i - 1}`,
          median: upperMedian(sorted),
          high: sorted[Math.floor(0.99 * (sorted.length - 1))],
          most: sorted[sorted.length - 1],
          cls: meanOf(cls),
          outliers: outlier.length === 0 ? null : meanOf(outlier),
        };
      }),
      withOutliers,
      outliers: outliers / embeddings.length,
      attention: Math.min(1, meanOf(attention)),
    }),
  };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The median; of an even number the upper of the two in the middle. */
const upperMedian = (values: ArrayLike<number>): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)];
};
