/**
 * GEM (Bousselham et al. 2024, "Grounding Everything: Emerging Localization Properties in Vision-Language Transformers",
 * §3.1–3.3): a second stream beside the network. It starts as the residual stream before the last six layers and collects what
 * their attention would write, without MLPs, if each head looked from a token to those with a like value, a like key, a like
 * query, a third each. Likeness is self-self attention, done twice on unit vectors at the temperature
 *
 *     √d_h / mean_i ‖x_i‖,   x_i what the layer's queries, keys and values are made of.
 *
 * The network itself goes on as it is, and gives each layer its queries, keys and values.
 */
import type { Graph, Value } from "../../onnx/graph.ts";
import { likeness, lookBy, perHead, projectTokens } from "../../onnx/token-features.ts";
import { asRows, byToken } from "../../onnx/transformer.ts";
import { byCosine } from "./baseline.ts";

/** How many layers take part, counted from the last: the paper's; all where there are fewer. */
const DEPTH = 6;

export const GEM = byCosine({
  name: "gem",
  title: "GEM",
  paper: "Bousselham et al. 2024",
  emit(g, { config, weights, layers, operators }) {
    const { tokens, width, headDim } = config.vision;
    const chosen = layers.slice(-DEPTH);
    let stream = chosen[0].before;
    for (const layer of chosen) {
      const norms = g.op("ReduceL2", [byToken(g, layer.normed, tokens, width)], { axes: [2], keepdims: 1 });
      const mean = g.op("ReduceMean", [norms], { axes: [1], keepdims: 1 });
      const sharpness = g.op("Mul", [
        g.op("Unsqueeze", [mean, g.ints([1])]),
        g.scalar(1 / Math.sqrt(headDim)),
      ]);
      const looks = [layer.value, layer.key, layer.query].map((x) =>
        selfSelf(g, perHead(g, x, config), sharpness),
      );
      const mixed = g.op("Mul", [
        g.op("Add", [g.op("Add", [looks[0], looks[1]]), looks[2]]),
        g.scalar(1 / looks.length),
      ]);
      stream = g.op("Add", [stream, asRows(g, lookBy(g, mixed, layer, config), width)]);
    }
    return projectTokens(g, stream, config, weights, operators);
  },
});

/** softmax(u·uᵀ·τ) of unit vectors u of what the same made of x: [b, H, N, d_h] to [b, H, N, N]. */
function selfSelf(g: Graph, x: Value, sharpness: Value): Value {
  const unit = (of: Value) => {
    const norm = g.op("ReduceL2", [of], { axes: [3], keepdims: 1 });
    return g.op("Div", [of, g.op("Max", [norm, g.scalar(1e-12)])]);
  };
  const look = (of: Value) => g.op("Softmax", [likeness(g, of, sharpness)], { axis: -1 });
  const first = unit(x);
  return look(unit(g.op("MatMul", [look(first), first])));
}
