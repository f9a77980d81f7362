/**
 * SCLIP (Wang, Mei & Yuille 2023, "SCLIP: Rethinking Self-Attention for Dense Vision-Language Inference", §3.2, eq. 4:
 * correlative self-attention): in the last layer each head looks from a token to those with a like query and to those with a
 * like key,
 *
 *     softmax(q·qᵀ/√d_h) + softmax(k·kᵀ/√d_h),
 *
 * so its weights sum to two. Residual stream and MLP stay.
 */
import { likeness, lookBy, perHead, projectTokens } from "../../onnx/token-features.ts";
import { mlp } from "../../onnx/transformer.ts";
import { byCosine } from "./baseline.ts";

export const SCLIP = byCosine({
  name: "sclip",
  title: "SCLIP",
  paper: "Wang, Mei & Yuille 2023",
  emit(g, { config, weights, layers, linear, operators }) {
    const last = layers[layers.length - 1];
    const scale = g.scalar(1 / Math.sqrt(config.vision.headDim));
    const [queries, keys] = [last.query, last.key].map((x) =>
      g.op("Softmax", [likeness(g, perHead(g, x, config), scale)], { axis: -1 }),
    );
    const middle = g.op("Add", [last.before, lookBy(g, g.op("Add", [queries, keys]), last, config)]);
    const after = g.op("Add", [middle, mlp(g, middle, last.block, config.vision, linear, operators)]);
    return projectTokens(g, after, config, weights, operators);
  },
});
