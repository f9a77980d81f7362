/**
 * What heads are worth when they are taken away inside the network, at every token, beside as many random heads; and
 * beside what their direct effects alone are worth on the same images. Costs a run of the model for every image and
 * every set.
 */

import { thin } from "../../math/thin.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import { everywhere, oneMean } from "../../model/export-checkpoint.ts";
import {
  type DirectionsOf,
  type HeadDirections,
  singularDirections,
} from "../../model/singular-directions.ts";
import type { ForwardStudy, InnerReplacement, Outcome } from "../../results/accuracy.ts";
import { componentsOf } from "../../results/shapes.ts";
import type { WorkOptions } from "../../support/progress.ts";
import type { ZeroShotProblem } from "../zero-shot/problem.ts";
import { hitsOf, type Partition, shareOf, sharesOf, worstOf } from "../zero-shot/zero-shot.ts";
import { createAblation, unitSet } from "./ablation.ts";
import { ablationGate, forwardScores, type MeanOutputs, meanOutputs, openGate } from "./forward-ablation.ts";
import { bandOf, drawControls, drawDirections } from "./random-heads.ts";

/** Images that means inside the network are taken over, where nothing else is said. */
export const CALIBRATION_IMAGES = 500;

/** How the study is made. */
export interface ForwardOptions extends WorkOptions {
  /** Default: `position`. */
  readonly replacement?: InnerReplacement;
  /** Most images, thinned evenly. Default: 500. */
  readonly images?: number;
  /** Most calibration images. Default: {@link CALIBRATION_IMAGES}. */
  readonly calibration?: number;
  /** Positions among the problem's rows that are asked. Default: all. */
  readonly at?: readonly number[];
  /** Positions that means are taken over. Default: all. */
  readonly meanOver?: readonly number[];
  /** Random sets beside each row; 0 for none. Default: 100. */
  readonly random?: number;
  /** Draw them from the layers of the set alone. */
  readonly sameLayers?: boolean;
  readonly seed?: number;
}

/**
 * Takes sets of heads, and of directions of heads, away inside the network.
 * @throws `HEADS_INVALID` for a set with MLP terms, `MODEL_UNSUPPORTED` for directions that a model does not have, `INDEX_OUTDATED` and what reading a picture throws, `CANCELLED`
 */
export async function studyForward(
  model: ClipModel,
  problem: ZeroShotProblem,
  sets: readonly NamedSet[],
  options: ForwardOptions = {},
): Promise<ForwardStudy> {
  const { replacement = "position", random = 100, sameLayers = false, seed = 0, report, signal } = options;
  const work: WorkOptions = { ...(report && { report }), ...(signal && { signal }) };
  const { index, rows, probes, truth, contests, groups, scores } = problem;
  const { layers, heads } = scores;
  const everyRow = rows.map((_, at) => at);
  const at = thin(options.at ?? everyRow, options.images ?? 500);
  const calibrated = thin(options.meanOver ?? everyRow, options.calibration ?? CALIBRATION_IMAGES);
  const asked = at.map((position) => rows[position]);
  const askedTruth = Int32Array.from(at, (position) => truth[position]);
  const askedGroups: Partition | undefined = groups && {
    names: groups.names,
    groups: Int32Array.from(at, (position) => groups.groups[position]),
  };

  const all = Array.from({ length: layers * heads }, (_, unit) => unit);
  const plans = sets.map(({ name, set }) => {
    const own = set.heads.map(({ layer, head }) => layer * heads + head);
    const within = new Set(set.heads.map(({ layer }) => layer));
    if (set.directions) {
      const controls = drawDirections(set, sameLayers ? "layers" : "heads", random, scores, seed);
      return { name, set, controls };
    }
    const pool = sameLayers ? all.filter((unit) => within.has(Math.floor(unit / heads))) : all;
    const { sets, exhaustive } = drawControls(pool, own.length, random, { seed, except: own });
    return { name, set, controls: { sets: sets.map((units) => unitSet(units, scores)), exhaustive } };
  });
  const touched = new Set(
    plans
      .flatMap(({ set, controls }) => [set, ...controls.sets])
      .flatMap(({ heads, directions = [] }) => [...heads, ...directions].map(({ layer }) => layer)),
  );
  const means = await calibrate();
  const directionsOf = remembered(model);
  const gates = [openGate(model)];
  for (const set of plans.flatMap(({ set, controls }) => [set, ...controls.sets]))
    gates.push(await ablationGate(model, set, means, directionsOf));
  const found = await forwardScores(model, index, asked, probes, gates, work);
  const outcomeOf = (hits: Uint8Array): Outcome => ({
    accuracy: shareOf(hits),
    worst: askedGroups ? worstOf(sharesOf(hits, askedGroups)) : null,
  });
  const outcomes = found.map((of) => outcomeOf(hitsOf(of, askedTruth, contests)));
  const ablation = createAblation(scores, {
    replacement: replacement === "nothing" ? "zero" : "mean",
    ...(options.meanOver && { meanOver: options.meanOver }),
  });
  const result: ForwardStudy["rows"] = [];
  let next = 1;
  for (const { name, set, controls } of plans) {
    const own = outcomes[next];
    const others = outcomes.slice(next + 1, next + 1 + controls.sets.length);
    next += 1 + controls.sets.length;
    const without = await ablation.without(set);
    const direct = new Float64Array(at.length * scores.classes);
    for (const [i, position] of at.entries()) {
      const from = position * scores.classes;
      direct.set(without.subarray(from, from + scores.classes), i * scores.classes);
    }
    const worst = others.flatMap((outcome) => outcome.worst?.share ?? []);
    result.push({
      components: componentsOf(name, set, scores),
      ...own,
      direct: outcomeOf(hitsOf(direct, askedTruth, contests)),
      random: bandOf(
        others.map((outcome) => outcome.accuracy.share),
        own.accuracy.share,
        controls.exhaustive,
      ),
      randomWorst: own.worst ? bandOf(worst, own.worst.share, controls.exhaustive) : null,
    });
  }
  const calibration = means ? calibrated.length : 0;
  return { replacement, images: at.length, calibration, whole: outcomes[0], rows: result };

  async function calibrate(): Promise<MeanOutputs | undefined> {
    if (replacement === "nothing") return undefined;
    const layersUsed = [...touched].sort((a, b) => a - b);
    const over = calibrated.map((position) => rows[position]);
    const outputs = await meanOutputs(model, index, over, layersUsed, work);
    return replacement === "tokens" ? everywhere(model, oneMean(model, outputs, "tokens")) : outputs;
  }
}

/** The directions of heads, each head's once. */
function remembered(model: ClipModel): DirectionsOf {
  const known = new Map<string, Promise<HeadDirections>>();
  let directionsOf: DirectionsOf | undefined;
  return (layer, head) => {
    directionsOf ??= singularDirections(model);
    const key = `${layer}.${head}`;
    const found = known.get(key) ?? directionsOf(layer, head);
    known.set(key, found);
    return found;
  };
}
