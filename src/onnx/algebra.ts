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
  /** XᵀY: [n, m] and [n, k] → [m, k]. */
  cross(x: DenseMatrix, y: DenseMatrix): Promise<DenseMatrix>;
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
  const crosses = createGraph("cross");
  const x = crosses.input("x", "float64", ["n", "m"]);
  const y = crosses.input("y", "float64", ["n", "k"]);
  crosses.output("result", crosses.op("Gemm", [x, y], { transA: 1 }), { type: "float64" });
  const product = await open(products.finish(), [], { threads });
  const transposed = await open(crosses.finish(), [], { threads });
  const cross = async (left: DenseMatrix, right: DenseMatrix): Promise<DenseMatrix> => {
    const { result } = await transposed.runDouble({ x: tensor(left), y: tensor(right) });
    return { data: result.data, rows: left.columns, columns: right.columns };
  };
  return {
    async product(left, right) {
      const { result } = await product.runDouble({ a: tensor(left), b: tensor(right) });
      return { data: result.data, rows: left.rows, columns: right.columns };
    },
    gram: (rows) => cross(rows, rows),
    cross,
    async release() {
      await product.release();
      await transposed.release();
    },
  };
}

const tensor = ({ data, rows, columns }: DenseMatrix) => ({ data, dims: [rows, columns] });
