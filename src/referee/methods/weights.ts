/**
 * Weights alone: the singular vectors of a head's map into the joint space, W_V·W_O·P, are the directions that it can write,
 * without any image. Each is written as a coherent, sparse, non-negative sum of five texts, and speaks for their properties
 * by its squared singular value; or by the variance that the images give it, which is no longer weights alone.
 *
 * "From Weights to Concepts: Data-Free Interpretability of CLIP via Singular Vector Decomposition" (SITH; Gentile et al.
 * 2026, arXiv 2603.24653); `analysis/from-weights` says in what the pursuit here differs.
 */

import { projectTexts } from "../../analysis/textspan/textspan.ts";
import { dot, multiply } from "../../math/linear.ts";
import { singularDirections } from "../../model/singular-directions.ts";
import type { Head } from "../../results/shapes.ts";
import { checkCancelled } from "../../support/progress.ts";
import { AXES, scoreAxes } from "../axes.ts";
import type { Bench } from "../bench.ts";
import { type Claim, claimOf, type Method } from "../method.ts";

const PAPER = "Gentile et al. 2026 (SITH)";
/** One map of a head into the joint space: not where a model pools by attention. */
const supports: Method["supports"] = ({ geometry }) => !geometry.pool;

/** Judges by a weight for each of a head's singular directions, [r, D]. */
async function judgeBy(
  bench: Bench,
  weigh: (head: Head, writes: Float64Array, values: Float64Array) => Promise<number[]> | number[],
): Promise<Claim[]> {
  const directionsOf = singularDirections(bench.model);
  const D = bench.embeddings.columns;
  const claims = [];
  for (const head of bench.heads) {
    checkCancelled(bench.signal);
    const { values, writes } = await directionsOf(head.layer, head.head);
    const weights = await weigh(head, writes, values);
    const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a] || a - b).slice(0, AXES);
    const data = new Float64Array(order.length * D);
    for (const [to, k] of order.entries()) data.set(writes.subarray(k * D, (k + 1) * D), to * D);
    const axes = { data, rows: order.length, columns: D };
    const chosen = order.map((k) => weights[k]);
    claims.push(claimOf(head, bench, await scoreAxes(bench, axes, chosen, {})));
  }
  return claims;
}

export const weightsAlone: Method = {
  ...{ key: "weights", name: "weights alone (SVD)", paper: PAPER, reads: ["weights", "texts"], supports },
  judge: (bench) => judgeBy(bench, (_, __, values) => Array.from(values, (value) => value ** 2)),
};

export const weightsByVariance: Method = {
  key: "weights-variance",
  name: "weights, by variance of images",
  ...{ paper: PAPER, reads: ["weights", "images", "texts"], supports },
  judge: (bench) =>
    judgeBy(bench, async (head, writes) => {
      const space = await bench.spaceOf(head);
      const { data, rows, columns: r } = await projectTexts(bench.algebra, space, writes);
      return Array.from({ length: rows }, (_, k) => {
        const v = data.slice(k * r, (k + 1) * r);
        return Math.max(0, dot(v, multiply(space.covariance.data, v)));
      });
    }),
};
