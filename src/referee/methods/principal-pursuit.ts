/**
 * Principal components and sparse texts: each head's contributions have few directions in which they vary; each is written,
 * with either sign, as a sparse sum of texts. A property's score is the weight of its texts times the variance of their
 * component, summed.
 *
 * "ResiDual Transformer Alignment with Spectral Decomposition" (Basile, Maiorca, Bortolussi, Rodolà & Locatello, TMLR 2025)
 * describes heads by their principal components and finds the texts that go along with them by matching pursuit.
 */
import { principalDirections } from "../../analysis/textspan/row-space.ts";
import { checkCancelled } from "../../support/progress.ts";
import type { Bench } from "../bench.ts";
import { claimOf, type Method, TEXTS, tally } from "../method.ts";
import { pursue } from "../pursuit.ts";

/** Components of a head that are looked at. */
const COMPONENTS = 5;

export const principalPursuit: Method = {
  key: "principal",
  name: "principal components + pursuit",
  paper: "Basile et al. 2025 (ResiDual)",
  reads: ["images", "texts"],
  async judge(bench) {
    const claims = [];
    for (const head of bench.heads) {
      checkCancelled(bench.signal);
      const space = await bench.spaceOf(head);
      const { directions, variances } = await principalDirections(bench.algebra, space, COMPONENTS);
      const axes = variances.map((variance, k) => ({
        axis: directions.data.subarray(k * directions.columns, (k + 1) * directions.columns),
        weight: variance,
      }));
      claims.push(claimOf(head, bench, scoreAxes(bench, axes)));
    }
    return claims;
  },
};

/** How much speaks for each property, of directions that are written in texts with either sign. */
export function scoreAxes(
  bench: Pick<Bench, "properties" | "texts" | "directions">,
  axes: readonly { readonly axis: Float64Array; readonly weight: number }[],
): number[] {
  const scores = bench.properties.map(() => 0);
  for (const { axis, weight } of axes) {
    for (const sign of [1, -1]) {
      const chosen = pursue(
        bench.directions,
        axis.map((value) => sign * value),
        TEXTS,
      );
      const own = tally(bench, chosen);
      for (const [p, score] of own.entries()) scores[p] += weight * score;
    }
  }
  return scores;
}
