/**
 * NACLIP (Hajimiri, Ben Ayed & Dolz 2024, "Pay Attention to Your Neighbours: Training-Free Open-Vocabulary Semantic
 * Segmentation", §3.2–3.3): of the last layer only what its attention writes, where each head looks from a token to those with a
 * like key and to those nearby,
 *
 *     softmax(k·kᵀ/√d_h + ω),   ω_ij = exp(−‖p_i − p_j‖²/(2·5²)) for patches at p_i and p_j, counted in patches; 0 at CLS.
 */
import { likeness, lookBy, perHead, projectTokens } from "../../onnx/token-features.ts";
import { byCosine } from "./baseline.ts";

/** The standard deviation of the paper's experiments, in patches. */
const DEVIATION = 5;

export const NACLIP = byCosine({
  name: "naclip",
  title: "NACLIP",
  paper: "Hajimiri, Ben Ayed & Dolz 2024",
  emit(g, { config, weights, layers, operators }) {
    const last = layers[layers.length - 1];
    const { headDim, tokens } = config.vision;
    const like = likeness(g, perHead(g, last.key, config), g.scalar(1 / Math.sqrt(headDim)));
    const near = g.floats(neighbourhood(config.vision), [1, 1, tokens, tokens]);
    const looks = g.op("Softmax", [g.op("Add", [like, near])], { axis: -1 });
    return projectTokens(g, lookBy(g, looks, last, config), config, weights, operators);
  },
});

/** ω, [N, N]. */
function neighbourhood({ tokens, prefix, grid }: Record<"tokens" | "prefix" | "grid", number>): Float32Array {
  const near = new Float32Array(tokens * tokens);
  for (let i = 0; i < grid * grid; i++) {
    for (let j = 0; j < grid * grid; j++) {
      const [rows, columns] = [Math.floor(i / grid) - Math.floor(j / grid), (i % grid) - (j % grid)];
      const far = rows ** 2 + columns ** 2;
      near[(prefix + i) * tokens + prefix + j] = Math.exp(-far / (2 * DEVIATION ** 2));
    }
  }
  return near;
}
