/**
 * Removing a spurious cue: the heads that carry it are found on validation images and their direct effects replaced by
 * their means; what that does to worst-group accuracy is measured on held-out images, beside random heads. After
 * "Interpreting CLIP's Image Representation via Text-Based Decomposition" (§4.3, Waterbirds), where heads were chosen
 * by hand from their descriptions; here they are chosen by measures, and how many by validation.
 */
import type { ClipModel } from "../../model/clip-model.ts";
import { type ComponentSet, refuseDirections } from "../../model/components.ts";
import type { ForwardStudy, InnerReplacement, Replacement } from "../../results/accuracy.ts";
import {
  type DebiasBaseline,
  type DebiasResult,
  type DebiasSelection,
  debiasResult,
  type GroupChange,
  type Halves,
  type RandomHeads,
  type Robustness,
  SELECTIONS,
  type SelectionName,
} from "../../results/debias.ts";
import { originOf } from "../../results/origin.ts";
import { componentsOf, type Head } from "../../results/shapes.ts";
import { endingOf } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { createAblation, directionUnit, type UnitSizes, unitSet } from "../ablation/ablation.ts";
import { studyForward } from "../ablation/forward-study.ts";
import { bandOf, combinations, drawControls } from "../ablation/random-heads.ts";
import { lowestShares, problemHits, robustnessOf } from "../zero-shot/problem.ts";
import { sharesOf } from "../zero-shot/zero-shot.ts";
import { cueBaselines, pairedDifference } from "./baselines.ts";
import { byGap, byGreed, bySelectivity, byTexts, cueGap, type HeadOrder } from "./cue-heads.ts";
import type { SplitProblem } from "./cue-problem.ts";
import { exportDebiased, wholeHeads } from "./export-debiased.ts";

/** How a cue is removed. */
export interface DebiasOptions extends WorkOptions {
  readonly replacement?: Replacement;
  /**
   * The selection to be used. Default: `given` where heads are given, else `selectivity`, which knows nothing of
   * accuracy until its heads are counted out. It is named beforehand, for the best of several on validation is best
   * there by luck too.
   */
  readonly use?: SelectionName;
  /** Whole heads, or directions of heads, to be ablated, whatever the measures say; one more selection. */
  readonly given?: ComponentSet;
  /** One unit vector [D] a value of the cue, for the selection by texts. */
  readonly cueProbes?: readonly Float64Array[];
  /** Most heads. Default: half of all, at most 16. */
  readonly maxHeads?: number;
  /** Sets of random heads. Default: 100. */
  readonly random?: number;
  readonly seed?: number;
  /** Take the used heads away inside the network too, for every random set. */
  readonly fullForward?: boolean;
  /** Most held-out images that the network is run on. Default: 500. */
  readonly forwardImages?: number;
  /** Files to export the used heads' removal to: `.onnx`, or folders. */
  readonly exports?: readonly string[];
}

/**
 * "Which heads carry this cue, and what comes of taking them away?": finds them, ablates their direct effects, tells
 * what that does, and exports it.
 * @throws `HEADS_INVALID` for given MLPs or weights, or an export without heads; what `studyForward` and
 *   `exportDebiased` throw; `CANCELLED`
 * @example
 * ```ts
 * import { debias, openModel } from "clip-interpret";
 * import { PLANTED_CUE, plantedClasses, prepareZeroShot, splitByCue } from "clip-interpret/evaluation";
 * import { worldIndex } from "clip-interpret/world";
 *
 * const model = await openModel("emoji-4x128-p8"); // trained on tigers that are mostly on green
 * const index = await worldIndex(model, { split: "balanced", images: 160 });
 * const problem = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE] });
 * const { before, selections, used } = await debias(model, splitByCue(problem, PLANTED_CUE), { random: 10 });
 * const { chosen, outcome } = selections[used];
 * console.log(before.test.worst.share.toFixed(2), outcome.test.worst.share.toFixed(2), chosen[0]?.name); // → 0.00 1.00 L0.H1
 * ```
 */
export async function debias(
  model: ClipModel,
  problem: SplitProblem,
  options: DebiasOptions = {},
): Promise<DebiasResult> {
  const { index, classSet, cueFactor: cue } = problem;
  if (options.given && options.exports?.length) refuseDirections(options.given, "in an exported model");
  const found = await removeCue(model, problem, options);
  const forward = await insideNetwork(model, problem, found, options);
  const exported = await exportDebiased(model, problem, found, options.exports ?? [], options);
  return debiasResult(await originOf({ model, index }), {
    ...{ cue, factor: classSet.factor, ...found, forward, exported },
  });
}

/** What a removed cue comes to by direct effects alone. */
type Removed = Omit<DebiasResult, "origin" | "cue" | "factor" | "forward" | "exported">;

async function removeCue(model: ClipModel, problem: SplitProblem, options: DebiasOptions): Promise<Removed> {
  const { replacement = "mean", random = 100, seed = 0, report, signal } = options;
  const { scores, validation, validationAt, test, testAt } = problem;
  const { layers, heads } = scores;
  const given = options.given && unitsOf(options.given, scores);
  const all = Array.from({ length: layers * heads }, (_, unit) => unit);
  const most = Math.min(options.maxHeads ?? Math.min(16, Math.ceil(all.length / 2)), all.length);
  // Nothing of the held-out half goes into what replaces a head.
  const ablation = createAblation(scores, { replacement, meanOver: validationAt });
  const halves = (hits: Uint8Array): Halves => ({
    validation: robustnessOf(hits, validation),
    test: robustnessOf(hits, test),
  });
  const without = async (units: readonly number[]) =>
    problemHits(problem, await ablation.without(unitSet(units, scores)));
  const hitsBefore = await without([]);
  const before = halves(hitsBefore);
  const gap = await cueGap(problem);

  const orders: (readonly [SelectionName, HeadOrder])[] = [];
  if (given) orders.push(["given", { heads: given.map((unit) => ({ unit, value: 1 })) }]);
  for (const name of SELECTIONS) {
    checkCancelled(signal);
    const order = await orderBy(name);
    if (order) orders.push([name, order]);
  }
  const use = options.use ?? (given ? "given" : "selectivity");
  const used = orders.findIndex(([name]) => name === use);
  if (used < 0) throw new RangeError(`no selection ${use}`);

  const isDirection = (unit = 0) => unit >= all.length;
  const nameOf = (unit: number): Head => {
    const { directions, heads: named } = componentsOf("", unitSet([unit], scores), scores);
    const { layer, head, name } = (directions ?? named)[0];
    return { layer, head, name };
  };
  const selections: DebiasSelection[] = [];
  let usedUnits: readonly number[] = [];
  for (const [selection, order] of orders) {
    const units = order.heads.map(({ unit }) => unit);
    const steps: DebiasSelection["steps"] = [];
    for (let k = 1; k <= (selection === "given" ? units.length : Math.min(most, units.length)); k++) {
      checkCancelled(signal);
      steps.push({ heads: units.slice(0, k).map(nameOf), ...halves(await without(units.slice(0, k))) });
    }
    const k = selection === "given" ? units.length : bestStep(before, steps);
    const outcome = k === 0 ? before : steps[k - 1];
    if (selection === use) usedUnits = units.slice(0, k);
    selections.push({
      selection,
      order: order.heads.map(({ unit, value }) => ({ ...nameOf(unit), value })),
      steps,
      chosen: units.slice(0, k).map(nameOf),
      outcome: { validation: outcome.validation, test: outcome.test },
      controls: await controlsOf(units.slice(0, k), outcome),
    });
  }
  return {
    replacement,
    images: { validation: validationAt.length, test: testAt.length, leftOut: problem.leftOut },
    before,
    gap,
    selections,
    used,
    baselines: await baselines(),
    groups: await groupChanges(),
    randomSteps: await randomSteps(),
  };

  async function orderBy(name: (typeof SELECTIONS)[number]): Promise<HeadOrder | undefined> {
    const work = { ...(report && { report }), ...(signal && { signal }) };
    switch (name) {
      case "selectivity":
        return bySelectivity(model, problem, work);
      case "texts":
        return options.cueProbes && byTexts(model, problem, options.cueProbes, work);
      case "gap":
        return byGap(gap);
      case "greedy":
        return byGreed(problem, ablation, most, work);
    }
  }

  /** Ways that know of no heads, beside the heads that were used. */
  async function baselines(): Promise<DebiasBaseline[]> {
    const hitsWithout = await without(usedUnits);
    const found = await cueBaselines(problem, options.cueProbes, { ...(signal && { signal }) });
    return found.map(({ baseline, directions, hits }) => ({
      ...{ baseline, directions, outcome: halves(hits) },
      lead: pairedDifference(hitsWithout, hits, test),
    }));
  }

  /** Hits without each of some random sets as large as `chosen`. */
  async function controlHits(pool: readonly number[], k: number, except: readonly number[]) {
    const { sets, exhaustive } = drawControls(pool, k, random, { seed, except });
    const hits: Uint8Array[] = [];
    for (const set of sets) {
      checkCancelled(signal);
      hits.push(await without(set));
    }
    return { hits, exhaustive };
  }

  function poolsOf(chosen: readonly number[]) {
    // Directions are held against directions.
    const like = isDirection(chosen[0])
      ? Array.from({ length: all.length * scores.headDim }, (_, at) => all.length + at)
      : all;
    const layerOf = (unit: number) =>
      Math.floor((isDirection(unit) ? (unit - all.length) / scores.headDim : unit) / heads);
    const layersOf = new Set(chosen.map(layerOf));
    const same = like.filter((unit) => layersOf.has(layerOf(unit)));
    return [{ from: "same layers", pool: same } as const, { from: "all layers", pool: like } as const];
  }

  async function controlsOf(chosen: readonly number[], own: Halves): Promise<DebiasSelection["controls"]> {
    const found: DebiasSelection["controls"] = [];
    for (const { from, pool } of poolsOf(chosen)) {
      const { hits, exhaustive } = await controlHits(pool, chosen.length, chosen);
      const outcomes = hits.map((of) => lowestShares(of, test));
      const average = outcomes.map((outcome) => outcome.average);
      const worst = outcomes.map((outcome) => outcome.worst);
      const bands = {
        average: bandOf(average, own.test.average.share, exhaustive),
        worst: bandOf(worst, own.test.worst.share, exhaustive),
      };
      if (bands.average && bands.worst) found.push({ from, average: bands.average, worst: bands.worst });
    }
    return found;
  }

  async function groupChanges(): Promise<GroupChange[]> {
    const [same, every] = poolsOf(usedUnits);
    const FEW = 20;
    const pool = combinations(same.pool.length, usedUnits.length) > FEW ? same.pool : every.pool;
    const { hits, exhaustive } = await controlHits(pool, usedUnits.length, usedUnits);
    const byControl = hits.map((of) => sharesOf(of, test));
    const groupsAfter = sharesOf(await without(usedUnits), test);
    return sharesOf(hitsBefore, test).map((group, i) => ({
      name: group.name,
      before: group,
      after: groupsAfter[i],
      random: bandOf(
        byControl.map((groups) => groups[i].share),
        groupsAfter[i].share,
        exhaustive,
      ),
    }));
  }

  /** Not compared with any one selection: its own heads may be among them. */
  async function randomSteps(): Promise<(RandomHeads | null)[]> {
    const task = "random heads";
    const ofHeads = selections.filter(({ selection }) => selection !== "given" || !isDirection(given?.[0]));
    const longest = Math.max(0, ...ofHeads.map(({ steps }) => steps.length));
    report?.({ type: "start", task, unit: "size", total: longest });
    const found: (RandomHeads | null)[] = [];
    for (let k = 1; k <= longest; k++) {
      const { hits, exhaustive } = await controlHits(all, k, []);
      const outcomes = hits.map((of) => lowestShares(of, test));
      const band = (key: "average" | "worst") =>
        bandOf(
          outcomes.map((outcome) => outcome[key]),
          before.test[key].share,
          exhaustive,
        );
      const [average, worst] = [band("average"), band("worst")];
      found.push(average && worst ? { average, worst } : null);
      report?.({ type: "advance", task, done: k, total: longest });
    }
    report?.({ type: "end", task, done: longest });
    const steps = Math.max(0, ...selections.map((of) => of.steps.length));
    return [...found, ...Array<null>(steps - longest).fill(null)];
  }
}

/** Numbers of whole heads or of directions. @throws `HEADS_INVALID` */
function unitsOf({ heads, mlps, directions = [] }: ComponentSet, sizes: UnitSizes): number[] {
  if (mlps.length > 0 || [...heads, ...directions].some(({ weight }) => weight !== 1)) {
    throw new ClipInterpretError("HEADS_INVALID", "--heads takes whole heads, no MLPs and no weights");
  }
  if (heads.length > 0 && directions.length > 0)
    throw new ClipInterpretError(
      "HEADS_INVALID",
      "--heads takes whole heads or directions of heads, not both",
    );
  return directions.length > 0
    ? directions.map((along) => directionUnit(sizes, along))
    : heads.map(({ layer, head }) => layer * sizes.heads + head);
}

/** The used heads inside the network: with random ones where that was asked for, and as an exported folder will be. */
async function insideNetwork(
  model: ClipModel,
  problem: SplitProblem,
  { replacement: direct, selections, used }: Removed,
  {
    fullForward = false,
    forwardImages = 500,
    exports = [],
    random = 100,
    seed = 0,
    given,
    ...options
  }: DebiasOptions,
): Promise<ForwardStudy[]> {
  const { chosen } = selections[used];
  if (chosen.length === 0) return [];
  const set = (selections[used].selection === "given" && given) || wholeHeads(chosen);
  const sets = [{ name: chosen.map(({ name }) => name).join(","), set }];
  const study = (replacement: InnerReplacement, draws: number) =>
    studyForward(model, problem, sets, {
      ...(options.report && { report: options.report }),
      ...(options.signal && { signal: options.signal }),
      ...{ replacement, images: forwardImages, random: draws, sameLayers: true, seed },
      ...{ at: problem.testAt, meanOver: problem.validationAt },
    });
  const studies: ForwardStudy[] = [];
  if (fullForward) {
    studies.push(await study(direct === "mean" ? "position" : "nothing", random));
    if (direct === "mean") studies.push(await study("nothing", 0));
  }
  const folder = exports.some((path) => endingOf(path) === "");
  if (folder && direct === "mean") studies.push(await study("tokens", 0));
  else if (folder && !fullForward) studies.push(await study("nothing", 0));
  return studies;
}

/** By worst-group accuracy, then the average. */
const better = (a: Robustness, b: Robustness): boolean =>
  a.worst.share > b.worst.share || (a.worst.share === b.worst.share && a.average.share > b.average.share);

/** How many heads are best on validation; 0 where none helps, and of ties the fewest. */
function bestStep(before: Halves, steps: readonly Halves[]): number {
  let [best, at] = [before.validation, 0];
  for (const [i, { validation }] of steps.entries()) {
    if (better(validation, best)) [best, at] = [validation, i + 1];
  }
  return at;
}
