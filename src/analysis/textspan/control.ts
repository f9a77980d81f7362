/**
 * What the variance that TEXTSPAN explains is compared with. TEXTSPAN chooses the best of thousands of texts, so a few
 * texts drawn at random are no control for it: the same choice must be made among texts that mean nothing.
 *
 * - **Rotated**: the pool after a random rotation of the joint space. Angles between texts stay, what they have to do
 *   with the head is gone. Of a rotation R a head sees T·R·Bᵀ with B [r, D] the basis of its row space, and R·Bᵀ is
 *   r random orthonormal columns in D dimensions, whatever B is: so a rotation is a random frame [D, r], its first
 *   columns serve heads of a lower rank, and texts are multiplied with it once for all heads.
 * - **Gaussian**: as many directions drawn at random, each by itself: what the best of so many explains where the pool has no
 *   geometry of its own.
 * - **Ceiling**: the principal directions, which no choice of k directions can exceed.
 */
import { symmetricEigenvalues } from "../../math/eigenvalues.ts";
import { quantile } from "../../math/intervals.ts";
import { norm } from "../../math/linear.ts";
import { removeAll } from "../../math/orthonormal.ts";
import { Random } from "../../math/random.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import type { ControlCurves } from "../../results/textspan.ts";
import { atOnce } from "../../support/at-once.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { type Chooser, selectTexts } from "./chooser.ts";
import { type RowSpace, transpose } from "./row-space.ts";

/** How the controls are made. */
export interface ControlOptions extends WorkOptions {
  /** Random rotations of the pool; 0: no control. Default: 100. */
  readonly rotations?: number;
  readonly seed?: number;
}

/** What a control is of. */
export interface Controlled {
  readonly space: Pick<RowSpace, "covariance" | "rank" | "totalVariance">;
  /** uᵀCu / tr C₀ of each step of the choice. */
  readonly explainedVariance: readonly number[];
}

/** Draws of Gaussian directions: their spread is small. */
const GAUSSIANS = 20;
/** Streams of random numbers apart from those of rotations. */
const OTHER_STREAM = 1_000_003;

/**
 * Controls for choices from one pool, in their order; null where no rotation was asked for.
 * @param texts [t, D], of the length that they were chosen at
 */
export async function controlCurves(
  chooser: Chooser,
  texts: DenseMatrix,
  choices: readonly Controlled[],
  { rotations = 100, seed = 0, report, signal }: ControlOptions = {},
): Promise<(ControlCurves | null)[]> {
  if (rotations === 0) return choices.map(() => null);
  const largest = choices.reduce((most, { space }) => Math.max(most, space.rank), 0);
  const task = "comparing with random rotations";
  const total = rotations + Math.min(rotations, GAUSSIANS);
  report?.({ type: "start", task, unit: "draw", total });
  let done = 0;
  /** What each choice explains among texts that mean nothing, [draws][choices][steps]. */
  const draw = async (draws: number, meaningless: (draw: number) => Promise<DenseMatrix>) => {
    const numbered = Array.from({ length: draws }, (_, i) => i);
    return atOnce(chooser.atOnce, numbered, async (i) => {
      checkCancelled(signal);
      const curves = await chooseAmong(chooser, await meaningless(i), choices);
      report?.({ type: "advance", task, done: ++done, total });
      return curves;
    });
  };
  const { algebra } = chooser;
  const rotated = await draw(rotations, async (i) => {
    const frame = await randomFrame(algebra, texts.columns, largest, new Random(seed, i));
    return algebra.product(texts, transpose(frame));
  });
  const gaussian = await draw(Math.min(rotations, GAUSSIANS), async (i) =>
    randomDirections(texts.rows, texts.columns, largest, new Random(seed, OTHER_STREAM + i)),
  );
  report?.({ type: "end", task, done });
  return choices.map(({ space, explainedVariance }, choice) => {
    const own = cumulative(explainedVariance);
    const of = (curves: number[][][]) => curves.map((curve) => curve[choice]);
    const steps = own.length;
    return {
      rotated: spreadOf(of(rotated), steps),
      gaussian: spreadOf(of(gaussian), steps),
      ceiling: ceilingOf(space, steps),
      p: own.map((share, k) => {
        const asMuch = of(rotated).filter((curve) => atStep(curve, k) >= share).length;
        return (1 + asMuch) / (1 + rotations);
      }),
    };
  });
}

/** The greedy choice of every head among texts [t, ≥ r]: shares that its first 1, 2, … texts explain together. */
async function chooseAmong(
  chooser: Chooser,
  texts: DenseMatrix,
  choices: readonly Controlled[],
): Promise<number[][]> {
  const curves = choices.map((): number[] => []);
  const alike = new Map<string, number[]>();
  for (const [choice, { space, explainedVariance }] of choices.entries()) {
    if (space.totalVariance === 0) continue;
    const kind = `${space.rank} ${explainedVariance.length}`;
    alike.set(kind, [...(alike.get(kind) ?? []), choice]);
  }
  for (const group of alike.values()) {
    const [{ space, explainedVariance }] = group.map((choice) => choices[choice]);
    const covariances = group.map((choice) => choices[choice].space.covariance);
    const coordinates = firstColumns(texts, space.rank);
    let at = 0;
    for await (const { variances } of selectTexts(
      chooser,
      covariances,
      coordinates,
      explainedVariance.length,
    )) {
      const choice = group[at++];
      const { totalVariance } = choices[choice].space;
      curves[choice] = cumulative(variances.map((variance) => variance / totalVariance));
    }
  }
  return curves;
}

/** A curve that ends early, where no more could be chosen, stays at its last value. */
const atStep = (curve: readonly number[], k: number): number => curve[Math.min(k, curve.length - 1)] ?? 0;

function spreadOf(curves: readonly (readonly number[])[], steps: number) {
  const at = Array.from({ length: steps }, (_, k) => curves.map((curve) => atStep(curve, k)));
  return {
    mean: at.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    low: at.map((values) => quantile(values, 0.025)),
    high: at.map((values) => quantile(values, 0.975)),
    draws: curves.length,
  };
}

function ceilingOf({ covariance, rank, totalVariance }: Controlled["space"], steps: number): number[] {
  if (steps === 0) return [];
  const largest = symmetricEigenvalues(covariance.data, rank).subarray(0, steps);
  return cumulative([...largest]).map((sum) => sum / totalVariance);
}

/** Rows that are made orthogonal to all earlier ones by two products, twice. */
const BLOCK = 32;

/** [count, D]: orthonormal rows, uniform among all such, by Gram-Schmidt in blocks. */
export async function randomFrame(
  algebra: Algebra,
  D: number,
  count: number,
  random: Random,
): Promise<DenseMatrix> {
  const data = new Float64Array(count * D);
  for (let start = 0; start < count; start += BLOCK) {
    const end = Math.min(count, start + BLOCK);
    const block = { data: data.subarray(start * D, end * D), rows: end - start, columns: D };
    for (let i = 0; i < block.data.length; i++) block.data[i] = random.normal();
    const before = { data: data.subarray(0, start * D), rows: start, columns: D };
    const across = transpose(before);
    for (let pass = 0; pass < 2 && start > 0; pass++) {
      const along = await algebra.product(await algebra.product(block, across), before);
      for (let i = 0; i < block.data.length; i++) block.data[i] -= along.data[i];
    }
    const rows: Float64Array[] = [];
    for (let i = 0; i < block.rows; i++) {
      const row = block.data.subarray(i * D, (i + 1) * D);
      removeAll(row, rows);
      const length = norm(row);
      for (let d = 0; d < D; d++) row[d] /= length;
      rows.push(row);
    }
  }
  return { data, rows: count, columns: D };
}

/** [count, r]: the first r coordinates of directions in D dimensions, of length 1 there. */
function randomDirections(count: number, D: number, r: number, random: Random): DenseMatrix {
  const data = new Float64Array(count * r);
  const direction = new Float64Array(D);
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < D; d++) direction[d] = random.normal();
    const length = norm(direction);
    for (let k = 0; k < r; k++) data[i * r + k] = direction[k] / length;
  }
  return { data, rows: count, columns: r };
}

function firstColumns({ data, rows, columns }: DenseMatrix, count: number): DenseMatrix {
  if (count === columns) return { data, rows, columns };
  const first = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++) first.set(data.subarray(i * columns, i * columns + count), i * count);
  return { data: first, rows, columns: count };
}

/** Running sums. */
export function cumulative(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
