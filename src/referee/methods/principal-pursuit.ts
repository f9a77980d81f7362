/**
 * Principal components and sparse texts: a head's contributions vary in few directions; each of them is written as a
 * non-negative sum of five texts by orthogonal matching pursuit, and speaks for their properties by its variance.
 *
 * "ResiDual Transformer Alignment with Spectral Decomposition" (Basile, Maiorca, Bortolussi, Rodolà & Locatello, 2024,
 * arXiv 2411.00246) describes heads by their principal components, and these by texts found with matching pursuit.
 */
import { principalDirections } from "../../analysis/textspan/row-space.ts";
import { checkCancelled } from "../../support/progress.ts";
import { AXES, scoreAxes } from "../axes.ts";
import { claimOf, type Method } from "../method.ts";

export const principalPursuit: Method = {
  key: "principal",
  name: "principal components + pursuit",
  paper: "Basile et al. 2024 (ResiDual)",
  reads: ["images", "texts"],
  async judge(bench) {
    const claims = [];
    for (const head of bench.heads) {
      checkCancelled(bench.signal);
      const space = await bench.spaceOf(head);
      const { directions, variances } = await principalDirections(bench.algebra, space, AXES);
      claims.push(claimOf(head, bench, await scoreAxes(bench, directions, variances, { coherence: 0 })));
    }
    return claims;
  },
};
