import { createGraph } from "./graph.ts";
import type { FloatTensor, OpenSession, SessionOptions } from "./session.ts";

/** Multiplies batches of matrices, [B, m, k] × [B, k, n] → [B, m, n], with NumPy's broadcasting over B. */
export type MatMul = (a: FloatTensor, b: FloatTensor) => Promise<Float32Array>;

/** ONNX Runtime's matrix product: some 50 times faster than a loop here. */
export async function createMatMul(open: OpenSession, options: SessionOptions = {}): Promise<MatMul> {
  const g = createGraph("matmul");
  const a = g.input("a", "float32", ["batchA", "m", "k"]);
  const b = g.input("b", "float32", ["batchB", "k", "n"]);
  g.output("product", g.op("MatMul", [a, b]));
  const session = await open(g.finish(), [], options);
  return async (left, right) => (await session.run({ a: left, b: right })).product.data;
}
