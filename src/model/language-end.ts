import type { MatMul } from "../onnx/matmul.ts";
import type { FloatTensor } from "../onnx/session.ts";
import { sumHeads, type TokenDecomposition } from "./decompose.ts";
import { checkSums, rowNorms } from "./decomposition.ts";
import { denseHeads } from "./dense.ts";
import type { LanguageEnd, TextGeometry } from "./geometry.ts";
import type { LayerTokens } from "./token-terms.ts";

/*
 * A text tower that ends with activations (the tanh of a BERT's pooler, the GELU of OpenCLIP's two maps): each is held at what it
 * multiplied its input by for this text, tanh(y)/y and GELU(y)/y, as a norm is held at its deviation. So what parts write is linear
 * to the end, and they sum to the embedding; but the matrix is the text's own, so that parts are kept as what they wrote.
 */

/**
 * Carries a decomposition of what the first activation reads into the joint space; the parts are checked to add up.
 * @param out what the graph gave
 * @throws `SUM_MISMATCH`
 */
export async function throughEnd(
  matmul: MatMul,
  { geometry, end }: Required<Pick<TextGeometry, "geometry" | "end">>,
  before: TokenDecomposition,
  out: Readonly<Record<string, FloatTensor>>,
): Promise<TokenDecomposition> {
  const { heads, embedDim } = geometry;
  const { count } = before;
  const gains = end.maps.map((_, i) => gainsOf(out[`before.${i + 1}`], out[`behind.${i + 1}`]));
  const carry = (rows: Float32Array) => carryRows(matmul, end, gains, rows, count);
  /** What was divided by the length of what the activation reads. */
  const undivided = (rows: Float32Array) => {
    const each = rows.length / count;
    return rows.map((value, at) => value * before.norm[Math.floor(at / each)]);
  };
  const z = await carry(undivided(await denseHeads(matmul, end.before, before)));
  const embedding = out.embedding.data;
  const norm = rowNorms(embedding, embedDim);
  const others = await carry(undivided(before.mlps));
  const mlps = others.map((value, at) => value / norm[Math.floor((at * count) / others.length)]);
  const { mu, sigma } = before;
  const parts = { count, z, mu, sigma, norm, embedding, mlps };
  const error = checkSums(sumHeads(z, count, embedDim), geometry, parts, { each: "text" });
  const whole = new Map<number, LayerTokens>();
  for (const [layer, { attention, values }] of before.tokens.layers) {
    const { headDim, M, embedDim: inner } = end.before;
    const rows = values.length / (heads * headDim);
    const byHead = new Float32Array(values.length);
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++) {
        const from = (row * heads + head) * headDim;
        byHead.set(values.subarray(from, from + headDim), (head * rows + row) * headDim);
      }
    const size = heads * headDim * inner;
    const products = await matmul(
      { data: byHead, dims: [heads, rows, headDim] },
      { data: M.subarray(layer * size, (layer + 1) * size), dims: [heads, headDim, inner] },
    );
    const byToken = new Float32Array(products.length);
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++) {
        const from = (head * rows + row) * inner;
        byToken.set(products.subarray(from, from + inner), (row * heads + head) * inner);
      }
    whole.set(layer, { attention, values: await carry(byToken) });
  }
  return {
    ...parts,
    // Both sums are checked; the worse of the two is what is told.
    error: error.map((value, text) => Math.max(value, before.error[text])),
    tokens: { ...before.tokens, layers: whole },
    outputs: before.outputs,
  };
}

/** What an activation multiplied each number by; at zero the limit, which nothing is multiplied with. */
const gainsOf = (before: FloatTensor, behind: FloatTensor): Float64Array =>
  Float64Array.from(before.data, (value, at) => (value === 0 ? 1 : behind.data[at] / value));

/** Rows of `count` texts, text by text, through gains and maps. */
async function carryRows(
  matmul: MatMul,
  { maps }: LanguageEnd,
  gains: readonly Float64Array[],
  rows: Float32Array,
  count: number,
): Promise<Float32Array> {
  let current = rows;
  for (const [i, { data, inputs, outputs }] of maps.entries()) {
    const each = current.length / count;
    const gain = gains[i];
    const scaled = current.map((value, at) => value * gain[Math.floor(at / each) * inputs + (at % inputs)]);
    current = await matmul(
      { data: scaled, dims: [1, scaled.length / inputs, inputs] },
      { data, dims: [1, inputs, outputs] },
    );
  }
  return current;
}
