/**
 * Grad-ECLIP (Zhao et al. 2024, "Gradient-based Visual Explanation for Transformer-based CLIP", §3.2, eq. 7–9), with the network
 * that is explained and no other:
 *
 *     H_i = max(0, Σ_c w_c·λ_i·v_ic),   w = ∂(t·e/‖e‖)/∂z_cls
 *
 * z_cls being what the last layer's heads output at CLS, v_i the patch's value, and λ_i, "loosened attention", the cosine of
 * CLS's query and the patch's key behind the output matrix, brought to [0, 1] over the patches. The gradient passes the last
 * layer's MLP and the last norm at CLS alone and is written down here.
 *
 * The authors' program computes the last layer with one head of full width; here it keeps the heads that it was trained with.
 */
import { cosineGradient, hasGradient, throughMlp, throughOut } from "../../onnx/gradients.ts";
import type { Value } from "../../onnx/graph.ts";
import { exactLinear } from "../../onnx/linear.ts";
import { asRows, byToken } from "../../onnx/transformer.ts";
import { byProbe } from "./baseline.ts";

export const GRAD_ECLIP = byProbe({
  name: "grad-eclip",
  title: "Grad-ECLIP",
  paper: "Zhao et al. 2024",
  fits: ({ config, checkpoint: { weights } }) =>
    config.vision.pooling === "cls" && weights.vision.blocks.slice(-1).every(hasGradient),
  emit(g, tower) {
    const { vision } = tower.config;
    const { tokens, width, prefix, grid } = vision;
    const last = tower.layers[tower.layers.length - 1];
    const cls = (rows: Value) =>
      asRows(g, g.op("Gather", [byToken(g, rows, tokens, width), g.ints([0])], { axis: 1 }), width);
    const patches = (x: Value) =>
      g.op("Slice", [x, g.ints([prefix]), g.ints([prefix + grid * grid]), g.ints([1])]);
    const gradient = cosineGradient(g, cls(last.after), tower);
    const weight = throughOut(g, last, throughMlp(g, cls(last.middle), last.block, vision, gradient));
    // [b, patches]: rows of [b, patches, W] times one row of [b, W].
    const against = (rows: Value, row: Value) =>
      g.op("ReduceSum", [g.op("Mul", [rows, g.op("Unsqueeze", [row, g.ints([1])])]), g.ints([2])], {
        keepdims: 0,
      });
    const behindOut = (x: Value) => {
      const rows = exactLinear(g, asRows(g, x, width), last.block.out);
      return byToken(
        g,
        g.op("Div", [rows, g.op("ReduceL2", [rows], { axes: [1], keepdims: 1 })]),
        tokens,
        width,
      );
    };
    const query = asRows(g, g.op("Gather", [behindOut(last.query), g.ints([0])], { axis: 1 }), width);
    const cosine = against(patches(behindOut(last.key)), query);
    const [least, most] = (["ReduceMin", "ReduceMax"] as const).map((reduce) =>
      g.op(reduce, [cosine], { axes: [1], keepdims: 1 }),
    );
    const loosened = g.op("Div", [g.op("Sub", [cosine, least]), g.op("Sub", [most, least])]);
    return g.op("Relu", [g.op("Mul", [against(patches(last.value), weight), loosened])]);
  },
});
