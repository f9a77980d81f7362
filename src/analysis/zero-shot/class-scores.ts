/**
 * What each component of an index's images says to each class: the kernel read along images for all classes at once,
 * s_h(i, c) = z̃_ih·(M̃_h·t_c). All components together are the cosine of image and class. An embedding without some
 * direct effects needs no other number and no run of the model.
 */
import { createHeadCache, type HeadCache } from "../../corpus/head-cache.ts";
import type { Index } from "../../corpus/open-index.ts";
import { fromHalf } from "../../math/half.ts";
import { dot, multiply } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { coordinateCount, headMatrix } from "../../model/head-space.ts";
import { type DirectedModel, singularDirections } from "../../model/singular-directions.ts";
import { ClipInterpretError } from "../../support/errors.ts";

/** Scores of some images of an index, [rows, C] each, in float32 or float64. */
export interface ClassScores {
  readonly rows: readonly number[];
  readonly classes: number;
  readonly layers: number;
  readonly heads: number;
  /** Directions a head. */
  readonly headDim: number;
  readonly poolMlp?: boolean | undefined;
  /** Cosines of the whole embedding. */
  whole(): Promise<Float32Array>;
  head(layer: number, head: number): Promise<Float32Array>;
  /**
   * What a head writes along one of its singular directions, z·M_lh·v_k·v_kᵀ, with an equal share of what it writes whatever its z is:
   * all directions of a head together are the head. @throws `MODEL_UNSUPPORTED`
   */
  direction(layer: number, head: number, direction: number): Promise<Float32Array>;
  /** One MLP term. @throws `HEADS_INVALID` when the index holds none */
  mlp(term: number): Promise<Float32Array>;
  /** All MLP terms together, Σ mlp = e/‖e‖ − Σ heads: no index needs to hold them. */
  mlps(): Promise<Float64Array>;
}

/** Bytes of head scores that are kept; others are computed again when they are asked for. */
const BUDGET = 2 ** 30;

/**
 * @param probes [C, D], unit length
 * @param rows the images, in order
 */
export function createClassScores(
  model: DirectedModel & Pick<ClipModel, "matmul">,
  index: Index,
  probes: Float64Array,
  rows: readonly number[],
  cache: HeadCache = createHeadCache(index),
): ClassScores {
  const { geometry, matmul } = model;
  const { layers, heads, headDim, embedDim } = geometry;
  const classes = probes.length / embedDim;
  const width = coordinateCount(geometry);
  const kept = new Map<string, Promise<Float32Array>>();
  const bytes = rows.length * classes * 4;

  /** Some rows of a block [n, k] times [k, C]. */
  const product = (block: Float32Array, k: number, right: Float32Array): Promise<Float32Array> => {
    const picked = new Float32Array(rows.length * k);
    for (const [i, row] of rows.entries()) picked.set(block.subarray(row * k, (row + 1) * k), i * k);
    return matmul({ data: picked, dims: [1, rows.length, k] }, { data: right, dims: [1, k, classes] });
  };
  const keep = (key: string, compute: () => Promise<Float32Array>): Promise<Float32Array> => {
    const known = kept.get(key);
    if (known) return known;
    const pending = compute();
    if ((kept.size + 1) * bytes <= BUDGET) kept.set(key, pending);
    return pending;
  };
  const texts = Float32Array.from({ length: probes.length }, (_, i) => {
    const [d, c] = [Math.floor(i / classes), i % classes];
    return probes[c * embedDim + d];
  });

  const asked = new Map<string, Promise<DirectionTexts>>();
  let opened: ReturnType<typeof singularDirections> | undefined;
  const directionsOf = (layer: number, head: number): Promise<DirectionTexts> => {
    opened ??= singularDirections(model);
    const key = `${layer}.${head}`;
    const found =
      asked.get(key) ??
      opened(layer, head).then(({ values, seen, writes }) => ({
        ...{ count: values.length, seen },
        along: Array.from({ length: classes }, (_, c) =>
          multiply(writes, probes.slice(c * embedDim, (c + 1) * embedDim)),
        ),
      }));
    asked.set(key, found);
    return found;
  };

  const scores: ClassScores = {
    rows,
    classes,
    layers,
    heads,
    headDim,
    poolMlp: geometry.poolMlp,
    whole: () => keep("whole", async () => product(await index.embeddings(), embedDim, texts)),
    head: (layer, head) =>
      keep(`${layer}.${head}`, async () =>
        product(await cache.block(layer, head), width, headTexts(geometry, layer, head, probes)),
      ),
    direction: (layer, head, direction) =>
      keep(`${layer}.${head}@${direction}`, async () => {
        const all = await directionsOf(layer, head);
        const texts = directionTexts(headTexts(geometry, layer, head, probes), all, direction);
        return product(await cache.block(layer, head), width, texts);
      }),
    mlp: (term) =>
      keep(`mlp ${term}`, async () => {
        if (!index.manifest.mlps) {
          const message = `the index ${index.folder} holds no single MLP terms`;
          const hint = "Ask for heads, or for all terms with `mlps`, or make the index with --mlps.";
          throw new ClipInterpretError("HEADS_INVALID", message, { hint });
        }
        return product(fromHalf(await index.mlpTerm(term)), embedDim, texts);
      }),
    async mlps() {
      const rest = Float64Array.from(await scores.whole());
      for (let unit = 0; unit < layers * heads; unit++) {
        const part = await scores.head(Math.floor(unit / heads), unit % heads);
        for (let i = 0; i < rest.length; i++) rest[i] -= part[i];
      }
      return rest;
    },
  };
  return scores;
}

/** M̃_h·tᵀ of every class: [d_h + 3, C]. */
function headTexts(geometry: HeadGeometry, layer: number, head: number, probes: Float64Array): Float32Array {
  const { embedDim } = geometry;
  const width = coordinateCount(geometry);
  const matrix = headMatrix(geometry, layer, head);
  const classes = probes.length / embedDim;
  const result = new Float32Array(width * classes);
  for (let row = 0; row < width; row++) {
    for (let c = 0; c < classes; c++) {
      result[row * classes + c] = dot(matrix, probes, row * embedDim, c * embedDim, embedDim);
    }
  }
  return result;
}

/** What of a head's directions scores need. */
interface DirectionTexts {
  readonly count: number;
  /** [r, d_h]: M_lh·v_k. */
  readonly seen: Float64Array;
  /** v_k·t_c of every direction [r], for each class. */
  readonly along: readonly Float64Array[];
}

/** The same as `headTexts` of what a head writes along one direction. @param whole those of the head, [d_h + 3, C] */
function directionTexts(
  whole: Float32Array,
  { count, seen, along }: DirectionTexts,
  direction: number,
): Float32Array {
  const classes = along.length;
  const headDim = whole.length / classes - 3;
  return whole.map((value, at) => {
    const [row, c] = [Math.floor(at / classes), at % classes];
    // A head whose rows are sums of others has fewer directions than numbers: the last ones are nothing.
    if (direction >= count) return 0;
    return row < headDim ? seen[direction * headDim + row] * along[c][direction] : value / count;
  });
}
