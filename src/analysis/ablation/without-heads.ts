/**
 * One image's scores without the direct effects of some heads, beside as many random ones: mean-ablation of
 * "Interpreting CLIP's Image Representation via Text-Based Decomposition", §3.2, for a single image. Exact, as scores are
 * linear in contributions:
 *
 *     s − Σ_h w_h·( s_h − s̄_h )
 */
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet } from "../../model/components.ts";
import type { Decomposition } from "../../model/decomposition.ts";
import type { ControlBand } from "../../results/accuracy.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readComponents } from "../read.ts";
import { bandOf, drawControls } from "./random-heads.ts";

/** Random sets that a chosen one is held against. */
const DRAWS = 200;

/** A score with and without some heads. */
export interface ScoreWithout {
  readonly similarity: number;
  readonly without: number;
  /** The same without as many random heads; null where there are no others. */
  readonly random: Pick<ControlBand, "draws" | "exhaustive" | "mean" | "low" | "high"> | null;
}

/**
 * Scores for some probes without a set of heads.
 * @param probes [D] each
 * @param options `means`: [L·H, D], what takes the heads' place; without it nothing does. `seed` chooses the random heads
 * @throws `HEADS_INVALID` for MLP terms
 */
export function withoutHeads(
  model: ClipModel,
  decomposition: Decomposition,
  probes: readonly Float64Array[],
  set: ComponentSet,
  { means, seed = 0 }: { readonly means?: readonly Float64Array[] | undefined; readonly seed?: number } = {},
): ScoreWithout[] {
  if (set.mlps.length > 0)
    throw new ClipInterpretError(
      "HEADS_INVALID",
      "single MLP terms cannot be taken out of one image's score",
    );
  const { layers, heads } = model.geometry;
  const units = set.heads.map(({ layer, head }) => layer * heads + head);
  const weights = set.heads.map(({ weight }) => weight);
  const every = Array.from({ length: layers * heads }, (_, unit) => unit);
  const controls = drawControls(every, units.length, DRAWS, { seed, except: units });
  return probes.map((probe) => {
    const scores = readComponents(model, decomposition, probe);
    const effects = scores.heads.map(({ value }, unit) => value - (means ? dot(means[unit], probe) : 0));
    // A random head has the weight of the chosen one whose place it takes.
    const without = (taken: readonly number[]) =>
      taken.reduce((left, unit, i) => left - weights[i] * effects[unit], scores.sum);
    const own = without(units);
    const band = bandOf(controls.sets.map(without), own, controls.exhaustive);
    return {
      ...{ similarity: scores.sum, without: own },
      random: band && {
        ...{
          draws: band.draws,
          exhaustive: band.exhaustive,
          mean: band.mean,
          low: band.low,
          high: band.high,
        },
      },
    };
  });
}
