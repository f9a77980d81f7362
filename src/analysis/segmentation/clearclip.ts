/**
 * ClearCLIP (Lan et al. 2024, "ClearCLIP: Decomposing CLIP Representations for Dense Vision-Language Inference", §3.3): of the
 * last layer only what its attention writes, without the residual stream and without the MLP, where each head looks from a token
 * to those with a like query, softmax(q·qᵀ/√d_h).
 */
import { likeness, lookBy, perHead, projectTokens } from "../../onnx/token-features.ts";
import { byCosine } from "./baseline.ts";

export const CLEARCLIP = byCosine({
  name: "clearclip",
  title: "ClearCLIP",
  paper: "Lan et al. 2024",
  emit(g, { config, weights, layers, operators }) {
    const last = layers[layers.length - 1];
    const scale = g.scalar(1 / Math.sqrt(config.vision.headDim));
    const looks = g.op("Softmax", [likeness(g, perHead(g, last.query, config), scale)], { axis: -1 });
    return projectTokens(g, lookBy(g, looks, last, config), config, weights, operators);
  },
});
