import type { ModelConfig, VisionConfig } from "../checkpoint/model-config.ts";
import type { Block, VisionWeights } from "../checkpoint/weight-roles.ts";
import { hasGradient } from "./gradients.ts";
import type { Graph, Value } from "./graph.ts";
import type { LayerView, TokenFeature } from "./token-features.ts";
import { asRows, byToken } from "./transformer.ts";

/*
 * Registers at test time ("Vision Transformers Don't Need Trained Registers", Jiang, Dravid, Efros & Gandelsman 2025, §4): few
 * neurons of MLPs make some patches' norms huge. One token more, of zeros before the first norm, takes what they write: there each
 * of them has the activation that is largest by size among all tokens, and at patches none. CLS keeps its own.
 */

/** Whether a tower can be given a register: CLS is read, positions are added once, blocks are plain. */
export const takesRegisters = ({ vision }: ModelConfig, { blocks }: VisionWeights): boolean =>
  vision.pooling === "cls" &&
  !vision.rotary &&
  blocks.every((block) => hasGradient(block) && block.relative === undefined);

/** The tokens with a register behind them: [b, N, W] to [b, N + 1, W]. */
export function addRegister(g: Graph, x: Value): Value {
  const first = g.op("Slice", [x, g.ints([0]), g.ints([1]), g.ints([1])]);
  return g.op("Concat", [x, g.op("Mul", [first, g.scalar(0)])], { axis: 1 });
}

/** What a layer's neurons do when those of `registers` write into the register: activations [b·N, M], N with the register. */
export function moveNeurons(
  g: Graph,
  hidden: Value,
  layer: number,
  { fc1 }: Block,
  { tokens, prefix, registers = [] }: VisionConfig,
): Value {
  const moved = registers.filter((one) => one.layer === layer);
  if (moved.length === 0) return hidden;
  const [count] = fc1.weight.shape;
  const kept = new Float32Array(tokens * count).fill(1);
  const put = new Float32Array(tokens * count);
  for (const { neuron } of moved) {
    for (let token = prefix; token < tokens; token++) kept[token * count + neuron] = 0;
    put[(tokens - 1) * count + neuron] = 1;
  }
  const all = byToken(g, hidden, tokens, count);
  const [most, least] = (["ReduceMax", "ReduceMin"] as const).map((reduce) =>
    g.op(reduce, [all], { axes: [1], keepdims: 1 }),
  );
  // The one of both that is larger by size; the positive one where they are equal.
  const sum = g.op("Add", [most, least]);
  const sign = g.op("Sign", [g.op("Add", [g.op("Sign", [sum]), g.scalar(0.5)])]);
  const spread = g.op("Mul", [g.op("Sub", [most, least]), sign]);
  const largest = g.op("Mul", [g.op("Add", [sum, spread]), g.scalar(0.5)]);
  const stay = g.op("Mul", [all, g.floats(kept, [1, tokens, count])]);
  const go = g.op("Mul", [largest, g.floats(put, [1, tokens, count])]);
  return asRows(g, g.op("Add", [stay, go]), count);
}

/** How long every token is before the first layer and behind each: [b, L + 1, N]. */
export const TOKEN_NORMS: TokenFeature = {
  name: "token-norms",
  readsProbe: false,
  emit: (g, { config: { vision }, layers }) =>
    g.op(
      "Concat",
      [layers[0].before, ...layers.map(({ after }) => after)].map((x) => normsOf(g, x, vision)),
      { axis: 1 },
    ),
};

/**
 * The mean size of every neuron's activation at patches whose norm behind the last layer is at least `ratio` times the median
 * patch's, and at the other patches: [b, 2, L, M]; zero where there are none.
 */
export const neuronsAtOutliers = (ratio: number): TokenFeature => ({
  name: `neurons-at-outliers-${ratio}`,
  readsProbe: false,
  emit(g, { config: { vision }, layers }) {
    const { prefix, grid } = vision;
    const last = normsOf(g, layers[layers.length - 1].after, vision);
    const norms = g.op("Slice", [last, g.ints([prefix]), g.ints([prefix + grid * grid]), g.ints([2])]);
    // The median, or the upper of the two in the middle: the least of the upper half.
    const [upper] = g.ops("TopK", [norms, g.ints([Math.ceil((grid * grid) / 2)])], { axis: 2 }, 2);
    const median = g.op("ReduceMin", [upper], { axes: [2], keepdims: 1 });
    const beyond = g.op("Sub", [norms, g.op("Mul", [median, g.scalar(ratio)])]);
    const isOutlier = g.op("Relu", [g.op("Sign", [g.op("Add", [g.op("Sign", [beyond]), g.scalar(0.5)])])]);
    const sides = [isOutlier, g.op("Sub", [g.scalar(1), isOutlier])].map((weights) => {
      const count = g.op("ReduceSum", [weights, g.ints([2])], { keepdims: 1 });
      const shares = g.op("Div", [weights, g.op("Max", [count, g.scalar(1)])]);
      const rows = layers.map((layer) => g.op("MatMul", [shares, sizes(g, layer, vision)]));
      return g.op("Unsqueeze", [g.op("Concat", rows, { axis: 1 }), g.ints([1])]);
    });
    return g.op("Concat", sides, { axis: 1 });
  },
});

/** [b·N, W] as [b, 1, N] norms. */
function normsOf(g: Graph, x: Value, { tokens, width }: VisionConfig): Value {
  const norms = g.op("ReduceL2", [byToken(g, x, tokens, width)], { axes: [2], keepdims: 0 });
  return g.op("Unsqueeze", [norms, g.ints([1])]);
}

/** |activations| at the patches: [b, patches, M]. */
function sizes(g: Graph, { hidden, block }: LayerView, { tokens, prefix, grid }: VisionConfig): Value {
  const all = byToken(g, hidden, tokens, block.fc1.weight.shape[0]);
  const patches = g.op("Slice", [all, g.ints([prefix]), g.ints([prefix + grid * grid]), g.ints([1])]);
  return g.op("Mul", [patches, g.op("Sign", [patches])]);
}
