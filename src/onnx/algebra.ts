import { createGraph } from "./graph.ts";
import type { OpenSession, SessionOptions } from "./session.ts";

/** A dense matrix in C order: `data.length` is `rows · columns`. */
export interface DenseMatrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Matrix products in float64 by ONNX Runtime: far faster than loops here, and the same bits on any number of threads. */
export interface Algebra {
  /** A·B: [m, k] × [k, n] → [m, n]. */
  product(a: DenseMatrix, b: DenseMatrix): Promise<DenseMatrix>;
  /** XᵀX: [n, m] → [m, m]. */
  gram(x: DenseMatrix): Promise<DenseMatrix>;
  /** Frees its memory; it must not be used again. */
  release(): Promise<void>;
}

/** Starts the two sessions; takes a few milliseconds. Always on the CPU, whatever the model runs on. */
export async function createAlgebra(
  open: OpenSession,
  { threads = 0 }: Pick<SessionOptions, "threads"> = {},
): Promise<Algebra> {
  const products = createGraph("product");
  const a = products.input("a", "float64", ["m", "k"]);
  const b = products.input("b", "float64", ["k", "n"]);
  products.output("result", products.op("MatMul", [a, b]), { type: "float64" });
  const grams = createGraph("gram");
  const x = grams.input("x", "float64", ["n", "m"]);
  grams.output("result", grams.op("Gemm", [x, x], { transA: 1 }), { type: "float64" });
  const product = await open(products.finish(), [], { threads });
  const gram = await open(grams.finish(), [], { threads });
  return {
    async product(left, right) {
      const { result } = await product.runDouble({ a: tensor(left), b: tensor(right) });
      return { data: result.data, rows: left.rows, columns: right.columns };
    },
    async gram(rows) {
      const { result } = await gram.runDouble({ x: tensor(rows) });
      return { data: result.data, rows: rows.columns, columns: rows.columns };
    },
    async release() {
      await product.release();
      await gram.release();
    },
  };
}

const tensor = ({ data, rows, columns }: DenseMatrix) => ({ data, dims: [rows, columns] });
