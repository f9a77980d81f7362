/**
 * How alike two heads respond to the same images, whatever the spaces they write into: linear centred kernel alignment
 * ("Similarity of Neural Network Representations Revisited", Kornblith et al. 2019, §3, eq. 5). For centred contributions
 * X [n, D] of one head and Y [n, D'] of another,
 *
 *     CKA = ‖YᵀX‖²_F / ( ‖XᵀX‖_F · ‖YᵀY‖_F )
 *
 * which is the correlation of their Gram matrices XXᵀ and YYᵀ: 1 where both find the same images alike, unchanged by
 * rotations and by one scale. X = Z̃M̃ is never made: with M̃M̃ᵀ = QΛQᵀ, U = Z̃QΛ^½ has the same Gram matrix in d_h + 3
 * coordinates.
 *
 * Over n images CKA is above 0 by chance. Over all orders of the images of one side its mean is exactly
 *
 *     tr(XXᵀ)·tr(YYᵀ) / ( (n − 1)·‖XXᵀ‖_F·‖YYᵀ‖_F )
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { MeasuredHead } from "../../corpus/measured-head.ts";
import { crossProduct, dot, norm } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { MatMul } from "../../onnx/matmul.ts";

/** Responses of several heads of one model to the same n images. */
export interface Responses {
  readonly heads: number;
  /** m: coordinates a head. */
  readonly width: number;
  readonly images: number;
  /** [n, heads, m] in float32: centred, of the contributions' Gram matrices. */
  readonly values: Float32Array;
  /** [heads]: ‖X‖²_F = tr(XXᵀ). */
  readonly traces: Float64Array;
  /** [heads]: ‖XᵀX‖_F. */
  readonly norms: Float64Array;
}

/** Brings heads of one width into coordinates of plain inner products, one head after another. */
export async function gatherResponses(
  matmul: MatMul,
  count: number,
  head: (index: number) => Promise<MeasuredHead>,
): Promise<Responses> {
  const [traces, norms] = [new Float64Array(count), new Float64Array(count)];
  let [images, width] = [0, 0];
  let values = new Float32Array(0);
  for (let h = 0; h < count; h++) {
    const { block, metric, width: m } = await head(h);
    [images, width] = [block.length / m, m];
    if (h === 0) values = new Float32Array(images * count * width);
    const own = centred(block, width);
    const rotated =
      metric === undefined
        ? own
        : await matmul(
            { data: own, dims: [1, images, width] },
            { data: rootOf(metric, width), dims: [1, width, width] },
          );
    for (let image = 0; image < images; image++) {
      values.set(rotated.subarray(image * width, (image + 1) * width), (image * count + h) * width);
    }
    const gram = crossProduct(rotated, rotated, width, width);
    for (let i = 0; i < width; i++) traces[h] += gram[i * width + i];
    norms[h] = norm(gram);
  }
  return { heads: count, width, images, values, traces, norms };
}

/** One head's responses, [n, m]. */
export function responsesOf({ heads, width, images, values }: Responses, head: number): Float32Array {
  const picked = new Float32Array(images * width);
  for (let image = 0; image < images; image++) {
    const from = (image * heads + head) * width;
    picked.set(values.subarray(from, from + width), image * width);
  }
  return picked;
}

/** Without the mean over images, subtracted in float64. */
function centred(block: Float32Array, width: number): Float32Array {
  const images = block.length / width;
  const mean = new Float64Array(width);
  for (let at = 0; at < block.length; at++) mean[at % width] += block[at] / images;
  return block.map((value, at) => value - mean[at % width]);
}

/** QΛ^½ of a metric [m, m]; what rounding made negative counts as 0. */
function rootOf(metric: Float64Array, m: number): Float32Array {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    Matrix.from1DArray(m, m, Array.from(metric)),
    { assumeSymmetric: true },
  );
  const roots = realEigenvalues.map((value) => Math.sqrt(Math.max(0, value)));
  return Float32Array.from(
    metric,
    (_, at) => eigenvectorMatrix.get(Math.floor(at / m), at % m) * roots[at % m],
  );
}

/** Heads of A that are multiplied with all of B at once. */
const AT_ONCE = 8;

/**
 * CKA of every head of A with every head of B, [A, B].
 * @param order of B's images, for a chance level
 */
export async function similarities(
  matmul: MatMul,
  a: Responses,
  b: Responses,
  order?: Int32Array,
): Promise<Float64Array> {
  const { images } = a;
  const [columnsA, columnsB] = [a.heads * a.width, b.heads * b.width];
  const right = { data: order ? inOrder(b.values, columnsB, order) : b.values, dims: [1, images, columnsB] };
  const result = new Float64Array(a.heads * b.heads);
  for (let first = 0; first < a.heads; first += AT_ONCE) {
    const heads = Math.min(AT_ONCE, a.heads - first);
    const columns = heads * a.width;
    const left = new Float32Array(columns * images);
    for (let image = 0; image < images; image++) {
      const from = image * columnsA + first * a.width;
      for (let i = 0; i < columns; i++) left[i * images + image] = a.values[from + i];
    }
    const product = await matmul({ data: left, dims: [1, columns, images] }, right);
    for (let i = 0; i < columns; i++) {
      const head = first + Math.floor(i / a.width);
      for (let h = 0; h < b.heads; h++) {
        const from = i * columnsB + h * b.width;
        result[head * b.heads + h] += dot(product, product, from, from, b.width);
      }
    }
  }
  return result.map((sum, i) => over(sum, a.norms[Math.floor(i / b.heads)] * b.norms[i % b.heads]));
}

/** A head that is the same for all images is like none. */
const over = (value: number, scale: number): number => (scale > 0 ? value / scale : 0);

function inOrder(values: Float32Array, columns: number, order: Int32Array): Float32Array {
  const ordered = new Float32Array(values.length);
  for (const [image, from] of order.entries()) {
    ordered.set(values.subarray(from * columns, (from + 1) * columns), image * columns);
  }
  return ordered;
}

/** Mean CKA over all orders of one side's images, [A, B]; exact. */
export function expectedByChance(a: Responses, b: Responses): Float64Array {
  return Float64Array.from({ length: a.heads * b.heads }, (_, i) => {
    const [h, k] = [Math.floor(i / b.heads), i % b.heads];
    return over(a.traces[h] * b.traces[k], (a.images - 1) * a.norms[h] * b.norms[k]);
  });
}

/** n images in random order. */
export function randomOrder(n: number, seed: number, permutation: number): Int32Array {
  const random = new Random(seed, permutation);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Blocks of images that are left out in turn, and Student's t for 95 % with one degree of freedom less. */
export const BLOCKS = 20;
const STUDENT = 2.093;

/**
 * A 95 % interval of two heads' CKA: images are dealt at random to 20 blocks, each is left out in turn (delete-a-group
 * jackknife), and centring is done again.
 *
 * @param a [n, m], @param b [n, m']: responses of one head each
 */
export function interval(
  a: Float32Array,
  b: Float32Array,
  widthA: number,
  widthB: number,
  seed: number,
): { low: number; high: number } {
  const n = a.length / widthA;
  const block = new Int32Array(n);
  for (const [place, image] of randomOrder(n, seed, -1).entries()) block[image] = place % BLOCKS;
  // A column of ones carries the means along.
  const [x, y] = [withOnes(a, widthA), withOnes(b, widthB)];
  const [p, q] = [widthA + 1, widthB + 1];
  const each = Array.from({ length: BLOCKS }, (_, k) => {
    const of = (row: number) => block[row] === k;
    return [
      crossProduct(x, x, p, p, of),
      crossProduct(y, y, q, q, of),
      crossProduct(x, y, p, q, of),
    ] as const;
  });
  const whole = ([0, 1, 2] as const).map((which) => sumOf(each.map((products) => products[which])));
  const cka = ([xx, yy, xy]: readonly Float64Array[]) =>
    over(covariance(xy, p, q), Math.sqrt(covariance(xx, p, p) * covariance(yy, q, q)));
  const left = each.map((products) =>
    cka(whole.map((sum, which) => sum.map((value, i) => value - products[which][i]))),
  );
  const centre = left.reduce((sum, value) => sum + value, 0) / BLOCKS;
  const spread = left.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const error = STUDENT * Math.sqrt(((BLOCKS - 1) / BLOCKS) * spread);
  const value = cka(whole);
  return { low: Math.max(0, value - error), high: Math.min(1, value + error) };
}

function withOnes(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const wider = new Float32Array(rows * (width + 1)).fill(1);
  for (let row = 0; row < rows; row++) {
    wider.set(values.subarray(row * width, (row + 1) * width), row * (width + 1));
  }
  return wider;
}

const sumOf = (parts: readonly Float64Array[]): Float64Array =>
  parts[0].map((_, i) => parts.reduce((sum, part) => sum + part[i], 0));

/** ‖Σ x yᵀ − Σx·Σyᵀ/n‖²_F out of Σ [x;1][y;1]ᵀ. */
function covariance(moments: Float64Array, p: number, q: number): number {
  const n = moments[p * q - 1];
  let sum = 0;
  for (let i = 0; i < p - 1; i++) {
    for (let j = 0; j < q - 1; j++) {
      sum += (moments[i * q + j] - (moments[i * q + q - 1] * moments[(p - 1) * q + j]) / n) ** 2;
    }
  }
  return sum;
}
