import type { VisionConfig } from "../checkpoint/model-config.ts";
import type {
  ConvolutionLayer,
  InvertedBottleneck,
  InvertedBottlenecks,
  Linear,
  Norm,
  VisionWeights,
} from "../checkpoint/weight-roles.ts";
import type { Graph, Value } from "./graph.ts";
import { ACTIVATIONS, type Operators } from "./transformer.ts";

/** ε of the normalisations in stems of convolutions, whatever the transformer's is. */
const BATCH_EPSILON = 1e-5;
const STEM_EPSILON = 1e-6;

/** Tokens with their positions, the CLS token first where there is one: [b, N, W]. */
export function embedPatches(
  g: Graph,
  pixels: Value,
  { grid, width, prefix }: VisionConfig,
  weights: VisionWeights,
  operators: Operators,
): Value {
  const planes = stemOf(g, pixels, weights, operators);
  const patches = g.op("Transpose", [g.op("Reshape", [planes, g.ints([0, width, grid * grid])])], {
    perm: [0, 2, 1],
  });
  const positions = weights.positionalEmbedding;
  // Of N rows, or of one a patch: then the CLS token has none.
  const rows = positions ? positions.shape.reduce((all, size) => all * size, 1) / width : 0;
  const add = (x: Value): Value =>
    positions ? g.op("Add", [x, g.op("Reshape", [g.weight(positions), g.ints([1, rows, width])])]) : x;
  const { classEmbedding } = weights;
  if (!classEmbedding) return add(patches);
  const own = rows === grid * grid + prefix;
  const batch = g.op("Slice", [g.op("Shape", [pixels]), g.ints([0]), g.ints([1])]);
  const shape = g.op("Concat", [batch, g.ints([1, width])], { axis: 0 });
  const flat = classEmbedding.shape.length > 1;
  const row = flat ? g.op("Reshape", [g.weight(classEmbedding), g.ints([width])]) : g.weight(classEmbedding);
  const cls = g.op("Expand", [row, shape]);
  const tokens = g.op("Concat", [cls, own ? patches : add(patches)], { axis: 1 });
  return own ? add(tokens) : tokens;
}

function stemOf(g: Graph, pixels: Value, { stem }: VisionWeights, operators: Operators): Value {
  switch (stem.kind) {
    case "patches": {
      const [, , size] = stem.convolution.weight.shape;
      return convolve(g, pixels, stem.convolution, { size, stride: size });
    }
    case "convolutions":
      return stem.layers.reduce((x, layer) => convolution(g, x, layer, operators), pixels);
    case "inverted-bottlenecks":
      return invertedBottlenecks(g, pixels, stem.weights, operators);
  }
}

interface Kernel {
  readonly size: number;
  readonly stride: number;
  readonly pad?: number;
  readonly group?: number;
}

function convolve(
  g: Graph,
  x: Value,
  { weight, bias }: Linear,
  { size, stride, pad = 0, group = 1 }: Kernel,
): Value {
  return g.op("Conv", [x, g.weight(weight), ...(bias ? [g.weight(bias)] : [])], {
    kernel_shape: [size, size],
    strides: [stride, stride],
    ...(pad > 0 && { pads: [pad, pad, pad, pad] }),
    ...(group > 1 && { group }),
  });
}

function convolution(
  g: Graph,
  x: Value,
  { convolution: kernel, size, batchNorm }: ConvolutionLayer,
  operators: Operators,
): Value {
  const convolved = convolve(g, x, kernel, { size, stride: size });
  if (!batchNorm) return convolved;
  const { weight, bias, mean, variance } = batchNorm;
  const normed = g.op(
    "BatchNormalization",
    [convolved, ...[weight, bias, mean, variance].map((tensor) => g.weight(tensor))],
    { epsilon: { float: BATCH_EPSILON } },
  );
  return ACTIVATIONS[operators].gelu(g, normed);
}

/** Layer normalisation over the channels of [b, C, h, w]. */
function channelNorm(g: Graph, x: Value, { weight, bias }: Norm): Value {
  const last = g.op("Transpose", [x], { perm: [0, 2, 3, 1] });
  const normed = g.op("LayerNormalization", [last, g.weight(weight), g.weight(bias)], {
    axis: -1,
    epsilon: { float: STEM_EPSILON },
  });
  return g.op("Transpose", [normed], { perm: [0, 3, 1, 2] });
}

function invertedBottlenecks(
  g: Graph,
  pixels: Value,
  weights: InvertedBottlenecks,
  operators: Operators,
): Value {
  const { gelu } = ACTIVATIONS[operators];
  const first = convolve(g, pixels, weights.first, { size: 3, stride: 2, pad: 1 });
  const normed = gelu(g, channelNorm(g, first, weights.firstNorm));
  let x = convolve(g, normed, weights.second, { size: 3, stride: 1, pad: 1 });
  for (const block of weights.blocks) x = bottleneck(g, x, block, operators);
  return convolve(g, channelNorm(g, x, weights.lastNorm), weights.last, { size: 3, stride: 2, pad: 1 });
}

function bottleneck(g: Graph, x: Value, block: InvertedBottleneck, operators: Operators): Value {
  const { gelu } = ACTIVATIONS[operators];
  const { stride, channels, shortcut } = block;
  const smaller =
    stride === 1
      ? x
      : g.op("AveragePool", [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  const beside = shortcut ? convolve(g, smaller, shortcut, { size: 1, stride: 1 }) : smaller;
  const expanded = gelu(g, convolve(g, channelNorm(g, x, block.norm), block.expand, { size: 1, stride: 1 }));
  const moved = gelu(g, convolve(g, expanded, block.depthwise, { size: 3, stride, pad: 1, group: channels }));
  return g.op("Add", [convolve(g, moved, block.shrink, { size: 1, stride: 1 }), beside]);
}
