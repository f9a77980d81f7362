/**
 * A model beside the one that it was fine-tuned from, head by head and from their weights alone: what was reweighted, what is new. The
 * question is that of "From Weights to Concepts: Data-Free Interpretability of CLIP via Singular Vector Decomposition" (SITH; Gentile et
 * al., 2026, arXiv 2603.24653, on model adaptation). With C the base's map of a head (`model/singular-directions.ts`), u_k and v_k its
 * singular directions, and C′ the fine-tune's, Δ = C′ − C falls into three parts at right angles:
 *
 *     reweighted  Σ_k (u_kᵀ·Δ·v_k)²           mixed  Σ_{j≠k} (u_jᵀ·Δ·v_k)²           new  ‖Δ‖² less both
 *
 * Directions need no matching: u_kᵀ·C′·v_k / σ_k is how strongly the fine-tune reads and writes along the base's own pair. Where two
 * singular values are near to each other a match of singular vectors would be arbitrary, and this is not.
 */
import { dot, multiply, norm } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads, type ComponentSet } from "../../model/components.ts";
import {
  decomposeMap,
  type HeadDirections,
  type HeadMap,
  headMaps,
} from "../../model/singular-directions.ts";
import { type FineTuneResult, fineTuneResult, type TunedHead } from "../../results/fine-tune.ts";
import { originOf } from "../../results/origin.ts";
import { headOf } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import { centredTexts, describeEnds, endsInWords } from "../from-weights/ends.ts";
import type { PursuitOptions } from "../from-weights/pursuit.ts";
import { embedPool, type PoolOptions } from "../textspan/describe-heads.ts";

/** How a fine-tune is compared with its base. */
export interface FineTuneOptions extends PoolOptions, PursuitOptions, WorkOptions {
  /** Heads to compare; weights do not matter. Default: all. */
  readonly set?: Pick<ComponentSet, "heads">;
  /** Texts that the strongest directions of a change are described in; without them there are only numbers. */
  readonly pool?: TextPool | undefined;
  /** Directions of a change that are described. Default: 2. */
  readonly directions?: number;
}

/** Changes below this share of a head are rounding, and not put into words. */
const ROUNDING = 1e-6;

/**
 * What a fine-tune did to each head of its base.
 * @throws `MODELS_DIFFER` where shapes do; `MODEL_UNSUPPORTED` for models that pool by attention; what embedding texts throws; `CANCELLED`
 * @example
 * ```ts
 * import { rm } from "node:fs/promises";
 * import { openModel, parseHeads } from "clip-interpret";
 * import { compareFineTune, exportCheckpoint } from "clip-interpret/evaluation";
 *
 * const base = await openModel("emoji-4x128-p8");
 * await rm("out/edited", { recursive: true, force: true });
 * await exportCheckpoint(base, "out/edited", { set: parseHeads(base, "L3.H1*0.5") }); // half as strong
 * const { changed, heads } = await compareFineTune(base, await openModel("out/edited"));
 * const { name, change, reweighted, ratios } = heads[13];
 * console.log(changed, name, change.toFixed(2), reweighted.toFixed(2), ratios[0].toFixed(2)); // → 1 L3.H1 0.50 1.00 0.50
 * ```
 */
export async function compareFineTune(
  base: ClipModel,
  tuned: ClipModel,
  options: FineTuneOptions = {},
): Promise<FineTuneResult> {
  const { pool, report, signal, directions: most = 2 } = options;
  requireSameShape(base, tuned);
  const { heads } = options.set ?? allHeads(base.geometry);
  const [before, after] = [headMaps(base), headMaps(tuned)];
  const texts = pool && centredTexts(await embedPool(tuned, pool, options), tuned.config.embedDim);
  const algebra = await tuned.openAlgebra({ threads: options.threads ?? 0 });
  const task = "comparing weights";
  report?.({ type: "start", task, unit: "head", total: heads.length });
  try {
    const found: TunedHead[] = [];
    for (const { layer, head } of heads) {
      checkCancelled(signal);
      const change = changeOf(await before(layer, head), await after(layer, head));
      const spoken = texts && change.numbers.change > ROUNDING ? change.directions.slice(0, most) : [];
      const writes = spoken.map(({ write }) => write);
      const ends = texts ? await describeEnds(algebra, texts, writes, options) : [];
      const directions = spoken.map(({ write: _, ...direction }, i) => ({
        ...direction,
        ends: endsInWords(ends[i].ends, pool?.texts ?? []),
      }));
      found.push({ ...headOf(layer, head), ...change.numbers, directions });
      report?.({ type: "advance", task, done: found.length, total: heads.length });
    }
    report?.({ type: "end", task, done: found.length });
    return fineTuneResult(await originOf({ model: tuned }), {
      base: (await originOf({ model: base })).model,
      pool: pool ? (await originOf({ pool })).pool : null,
      changed: found.filter(({ change }) => change > 0).length,
      heads: found,
    });
  } finally {
    await algebra.release();
  }
}

/** What changed between two maps of one shape. */
interface Change {
  readonly numbers: Omit<TunedHead, "layer" | "head" | "name" | "directions">;
  /** Singular directions of the change, strongest first. */
  readonly directions: readonly {
    readonly singularValue: number;
    readonly share: number;
    readonly write: Float64Array;
  }[];
}

function changeOf(before: HeadMap, after: HeadMap): Change {
  const m = before.rows;
  const own = decomposeMap(before.values, before.matrix, m);
  const [values, matrix] = [difference(after.values, before.values), difference(after.matrix, before.matrix)];
  const size = norm(own.values);
  if (!values.some(Boolean) && !matrix.some(Boolean)) {
    const ratios = Array.from(own.values, () => 1);
    const none = { change: 0, reweighted: 0, mixed: 0, new: 0, strength: 1, outside: 0, ratios };
    return { numbers: none, directions: [] };
  }
  // Δ = ΔVᵀ·M′ + Vᵀ·ΔM, as one product of stacked factors: no large numbers are subtracted.
  const delta = decomposeMap(stacked(values, before.values), stacked(after.matrix, matrix), 2 * m);
  const tuned = decomposeMap(after.values, after.matrix, m);
  const total = dot(delta.values, delta.values);
  const inside = insideOf(own, before, after, values, matrix);
  const r = own.values.length;
  let [reweighted, all] = [0, 0];
  for (let j = 0; j < r; j++) {
    for (let k = 0; k < r; k++) {
      const square = inside[j * r + k] ** 2;
      all += square;
      if (j === k) reweighted += square;
    }
  }
  const of = (part: number) => (total > 0 ? Math.min(1, Math.max(0, part / total)) : 0);
  return {
    numbers: {
      change: over(Math.sqrt(total), size),
      ...{ reweighted: of(reweighted), mixed: of(all - reweighted), new: of(total - all) },
      strength: over(norm(tuned.values), size),
      outside: outsideOf(own, tuned),
      ratios: Array.from(own.values, (value, k) =>
        value > ROUNDING * own.values[0] ? 1 + inside[k * r + k] / value : 1,
      ),
    },
    directions: [...delta.values.keys()]
      .filter((k) => delta.values[k] > ROUNDING * delta.values[0])
      .map((k) => ({
        singularValue: delta.values[k],
        share: of(delta.values[k] ** 2),
        write: rowOf(delta.writes, k, before.matrix.length / m),
      })),
  };
}

/** u_jᵀ·Δ·v_k of the base's directions, [r, r]. */
function insideOf(
  own: HeadDirections,
  before: HeadMap,
  after: HeadMap,
  values: Float64Array,
  matrix: Float64Array,
): Float64Array {
  const { rows: m } = before;
  const r = own.values.length;
  const reads = own.reads();
  const [W, D] = [before.values.length / m, before.matrix.length / m];
  const along = (rows: Float64Array, directions: Float64Array, width: number) =>
    Array.from({ length: r }, (_, k) => multiply(rows, rowOf(directions, k, width)));
  const [readNew, readOld] = [along(values, reads, W), along(before.values, reads, W)];
  const [writeNew, writeDelta] = [along(after.matrix, own.writes, D), along(matrix, own.writes, D)];
  return Float64Array.from({ length: r * r }, (_, at) => {
    const [j, k] = [Math.floor(at / r), at % r];
    return dot(readNew[j], writeNew[k]) + dot(readOld[j], writeDelta[k]);
  });
}

/** Share of the fine-tune's squared singular values that it writes outside of the base's directions. */
function outsideOf(own: HeadDirections, tuned: HeadDirections): number {
  const D = own.writes.length / Math.max(1, own.values.length);
  let [outside, all] = [0, 0];
  for (const [k, value] of tuned.values.entries()) {
    const within = multiply(own.writes, rowOf(tuned.writes, k, D));
    outside += value ** 2 * Math.max(0, 1 - dot(within, within));
    all += value ** 2;
  }
  return over(outside, all);
}

const rowOf = (matrix: Float64Array, row: number, width: number) =>
  matrix.slice(row * width, (row + 1) * width);
const difference = (a: Float64Array, b: Float64Array) => a.map((value, i) => value - b[i]);
const over = (part: number, whole: number) => (whole > 0 ? part / whole : 0);

function stacked(top: Float64Array, bottom: Float64Array): Float64Array {
  const all = new Float64Array(top.length + bottom.length);
  all.set(top);
  all.set(bottom, top.length);
  return all;
}

/** Sees that the heads of two models can be set beside each other one by one. @throws `MODELS_DIFFER` */
function requireSameShape(base: ClipModel, tuned: ClipModel): void {
  const sizesOf = ({ config: { vision, embedDim } }: ClipModel) => ({
    ...{ layers: vision.layers, heads: vision.heads, width: vision.width, "embedding size": embedDim },
  });
  const [a, b] = [sizesOf(base), sizesOf(tuned)];
  const names = Object.keys(a) as (keyof typeof a)[];
  const other = names.find((name) => a[name] !== b[name]);
  if (!other && base.geometry.headDim === tuned.geometry.headDim) return;
  const how = other ? `${other}: ${a[other]} and ${b[other]}` : "the kind of tower";
  throw new ClipInterpretError("MODELS_DIFFER", `${base.name} and ${tuned.name} differ in ${how}`);
}
