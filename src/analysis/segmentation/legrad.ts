/**
 * LeGrad (Bousselham et al. 2024, "LeGrad: An Explainability Method for Vision Transformers via Feature Formation Sensitivity",
 * §3.2): how fast the cosine of a text with what a layer has made so far grows if its heads look more at a patch. With
 * f_l = P(ln_post(mean over tokens of layer l's output)) and s_l = t·f_l/‖f_l‖,
 *
 *     Σ_l mean over heads and queries of max(0, ∂s_l/∂A_l)
 *
 * over the last two layers, as the authors' program does by default. Only the attention A_l of layer l itself is differentiated,
 * so the gradient is short and is written down here: with z_i = Σ_j A_ij·v_j, ∂s/∂A_ij = v_j·∂s/∂z_i, and ∂s/∂z_i comes back
 * through the norm behind the mean, the layer's MLP and its output matrix.
 */
import { cosineGradient, hasGradient, throughMlp, throughOut } from "../../onnx/gradients.ts";
import type { Value } from "../../onnx/graph.ts";
import { perHead } from "../../onnx/token-features.ts";
import { asRows, byToken } from "../../onnx/transformer.ts";
import { byProbe } from "./baseline.ts";

/** How many layers take part, counted from the last. */
const LAYERS = 2;

export const LEGRAD = byProbe({
  name: "legrad",
  title: "LeGrad",
  paper: "Bousselham et al. 2024",
  fits: ({ config, checkpoint: { weights } }) =>
    config.vision.pooling === "cls" && weights.vision.blocks.slice(-LAYERS).every(hasGradient),
  emit(g, tower) {
    const { config, layers } = tower;
    const { vision } = config;
    const { tokens, width, heads, prefix, grid } = vision;
    const maps = layers.slice(-LAYERS).map((layer): Value => {
      const after = byToken(g, layer.after, tokens, width);
      const mean = asRows(g, g.op("ReduceMean", [after], { axes: [1], keepdims: 1 }), width);
      const each = g.op("Mul", [cosineGradient(g, mean, tower), g.scalar(1 / tokens)]);
      const zeros = g.op("Mul", [after, g.scalar(0)]);
      const spread = asRows(g, g.op("Add", [zeros, g.op("Unsqueeze", [each, g.ints([1])])]), width);
      const back = throughOut(g, layer, throughMlp(g, layer.middle, layer.block, vision, spread));
      const ofHeads = perHead(g, byToken(g, back, tokens, width), config);
      const values = g.op("Transpose", [perHead(g, layer.value, config)], { perm: [0, 1, 3, 2] });
      // [b, H, query, key]
      const gradient = g.op("Relu", [g.op("MatMul", [ofHeads, values])]);
      const sum = g.op("ReduceSum", [gradient, g.ints([1, 2])], { keepdims: 0 });
      return g.op("Mul", [sum, g.scalar(1 / (heads * tokens))]);
    });
    const all = maps.reduce((sum, map) => g.op("Add", [sum, map]));
    return g.op("Slice", [all, g.ints([prefix]), g.ints([prefix + grid * grid]), g.ints([1])]);
  },
});
